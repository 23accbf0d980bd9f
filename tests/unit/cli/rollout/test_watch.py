"""The two ways of watching: a screen that is drawn over, and lines in a pipe."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rollout_documents import NOW, rollout, scene

from reconciler.cli.colour import painter
from reconciler.cli.rollout.picture import Picture, pictures
from reconciler.cli.rollout.watch import Lines, Screen

MOVED = rollout({"currentStepIndex": 4})


def drawn(one: dict[str, Any] | None = None) -> list[Picture]:
    return pictures(scene(one), NOW)


def test_in_a_pipe_a_line_is_printed_for_each_change_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.show(drawn(), ["you may not list pods"], NOW)
    lines.show(drawn(), ["you may not list pods"], NOW + timedelta(seconds=5))
    lines.show(drawn(MOVED), ["you may not list pods"], NOW + timedelta(seconds=9))
    told = capsys.readouterr()
    first, second = told.out.splitlines()
    assert first.startswith("2026-11-26 04:33:00Z shop/web: Paused, step 2 of 5")
    assert second.startswith("2026-11-26 04:33:09Z shop/web: Paused, step 5 of 5")
    assert told.err == "not shown: you may not list pods\n"


def test_on_a_terminal_the_last_picture_is_drawn_over(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "60")
    screen = Screen(painter("never"))
    screen.show(drawn(), (), NOW)
    first = capsys.readouterr().out
    screen.show(drawn(MOVED), (), NOW)
    second = capsys.readouterr().out
    screen.close()
    height = first.count("\n")
    assert second.startswith(f"\x1b[{height}A")
    assert second.endswith("\x1b[J")
    assert capsys.readouterr().out == "\x1b[?25h", "the cursor is shown again"


def test_a_terminal_that_is_too_low_says_so_and_does_not_scroll(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "10")
    Screen(painter("never")).show(drawn(), ["x" * 200], NOW)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 10
    assert "more lines: make the terminal higher" in lines[-2]
