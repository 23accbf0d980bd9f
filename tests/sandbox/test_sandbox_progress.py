"""Progress is for eyes on a terminal, and plain lines elsewhere."""

from __future__ import annotations

import io
import re

import pytest
from sandbox.watching import eventually

from reconciler.sandbox.progress import ProgressPrinter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> list[str]:
        """What stands there: the text after the last "erase in line" of each row."""
        return [row.rpartition("\x1b[K")[2] for row in self.getvalue().split("\n")]


def test_a_pipe_gets_each_line_once_and_no_control_characters() -> None:
    stream = io.StringIO()
    with ProgressPrinter(stream) as progress:
        progress("building a ...")
        progress("built a in 2 s")
    assert stream.getvalue() == "building a ...\nbuilt a in 2 s\n"


def test_a_terminal_shows_how_long_a_step_has_taken_and_what_is_done_above_it() -> None:
    terminal = Terminal()
    with ProgressPrinter(terminal) as progress:
        progress("starting x, y ...")
        # A machine that is busy may be at 2 s by the time that somebody looks.
        eventually("its age is shown", lambda: re.fullmatch(r"starting x, y \.\.\. [0-9]+ s", terminal.screen[0]))
        assert len(terminal.screen) == 1
        progress("x ready")
        assert terminal.screen[0] == "x ready"
        assert terminal.screen[1].startswith("starting x, y ... ")
        progress("y ready")
    assert terminal.screen == ["x ready", "y ready", ""]


def test_a_step_is_cut_to_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    with ProgressPrinter(terminal) as progress:
        progress(f"starting {'x' * 100} ...")
        assert len(terminal.screen[0]) == 39
        assert terminal.screen[0].endswith(" ...")
