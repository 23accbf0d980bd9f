"""Tables line up, whatever is in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.table import columns, cut, one_line, table


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(("NAME", "SYNC"), [("a", "Synced"), ("a-longer-name", "Unknown")]) == (
        "NAME            SYNC\na               Synced\na-longer-name   Unknown"
    )


def test_a_table_without_rows_is_its_header() -> None:
    assert table(("NAME", "SYNC"), []) == "NAME   SYNC"


def test_lines_have_no_blanks_at_their_end() -> None:
    lines = table(("NAME", "MESSAGE"), [("a", ""), ("b", "text")]).splitlines()

    assert [line == line.rstrip() for line in lines] == [True, True, True]


def test_the_last_column_is_cut_to_the_width() -> None:
    lines = table(("NAME", "MESSAGE"), [("web", "a long story of what went wrong")], width=30).splitlines()

    assert lines[1] == "web    a long story of what w…"
    assert max(map(columns, lines)) == 30


def test_a_narrow_terminal_still_shows_the_start_of_a_message() -> None:
    assert "not Healthy…" in table(("NAME", "MESSAGE"), [("w" * 80, "not Healthy within its time")], width=40)


def test_wide_letters_take_two_columns() -> None:
    lines = table(("A", "B"), [("日本", "x"), ("abcd", "x")]).splitlines()

    assert lines[1] == "日本   x"
    assert columns(lines[1]) == columns(lines[2])


def test_a_cell_cannot_move_the_terminal() -> None:
    assert one_line("a\x1b[31mred\nb\tc") == "a [31mred b c"
    assert table(("A",), [("x\r\ny",)]) == "A\nx y"


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_cut_text_fits(text: str, width: int) -> None:
    assert columns(cut(text, width)) <= width


@given(st.lists(st.tuples(st.text(), st.text(min_size=1), st.text()), min_size=1))
def test_every_row_is_one_line(rows: list[tuple[str, str, str]]) -> None:
    assert len(table(("A", "B", "C"), rows).split("\n")) == len(rows) + 1
