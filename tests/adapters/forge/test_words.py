"""Texts to and from forges: what they say when they refuse, what is cut, and what a comment is found by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.forge.words import fitted, mark, marked, message_of, one_line, same
from reconciler.adapters.http import Answer

_NUMBER = {"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for a:b."}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "no"}, "no"),
        ({"message": "Validation Failed", "errors": [_NUMBER]}, "Validation Failed: " + _NUMBER["message"]),
        ({"message": "Validation Failed", "errors": ["x", {"code": "invalid"}]}, "Validation Failed"),
        ({"message": ["Another open merge request"]}, "Another open merge request"),
        ({"message": {"source_branch": ["can't be blank", "no"]}}, "source_branch can't be blank: source_branch no"),
        ({"error": "insufficient_scope", "error_description": "needs api"}, "insufficient_scope: needs api"),
        ({}, ""),
        ([], ""),
        ("text", ""),
        (None, ""),
        ({"message": 1, "errors": 2, "error": None}, ""),
    ],
)
def test_a_refusal_is_read_in_every_forges_way(body: Any, said: str) -> None:
    assert message_of(Answer(422, body)) == said


def test_what_is_deep_is_not_followed_for_ever() -> None:
    deep: Any = "x"
    for _ in range(2000):
        deep = [deep]
    assert message_of(Answer(422, {"message": deep})) == ""


def test_a_sentence_is_one_printable_line() -> None:
    assert one_line("a\x1b[31m\n b", Answer(403, None)) == "a [31m b."
    assert one_line("", Answer(403, None)) == "HTTP 403."
    assert len(one_line("x" * 9999, Answer(403, None))) == 301


@given(
    st.lists(st.sampled_from(["```", "<details>", "</details>", "text ü", "", "x" * 90])).map("\n".join),
    st.integers(200, 900),
)
def test_a_text_that_is_cut_says_so_and_leaves_nothing_open(text: str, limit: int) -> None:
    cut = fitted(text, limit)
    assert len(cut) <= limit
    if len(text) <= limit:
        assert cut == text
        return
    said = cut.splitlines()[-1]
    assert said == f"This text is cut here: it has {len(text)} characters, and the forge takes {limit}."
    assert sum(line.startswith("```") for line in cut.splitlines()) % 2 == 0
    assert cut.count("<details") <= cut.count("</details>") or "<details" not in text


@given(st.text(min_size=1), st.text())
def test_a_marker_is_one_line_that_nothing_in_it_ends(marker: str, text: str) -> None:
    line = mark(marker)
    assert line.isprintable() and line.startswith("<!-- ") and line.index("--", 4) == len(line) - 3
    assert marked(marker, text, 60_000).startswith(f"{line}\n")


@given(st.text(), st.text())
def test_two_markers_are_two(one: str, other: str) -> None:
    assert (mark(one) == mark(other)) == (one == other)


def test_breaks_of_lines_and_ends_are_no_difference() -> None:
    assert same("a\r\nb\n", "a\nb") and not same("a b", "a\nb") and not same(None, "")
