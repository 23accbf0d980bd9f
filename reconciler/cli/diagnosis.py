"""One check of `dispatch doctor`, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from reconciler.cli.colour import Paint
from reconciler.cli.table import columns, one_line


class Mark(Enum):
    """How a check ended. Only FAILED makes the exit code 1."""

    GOOD = "good"
    WARNING = "warning"
    """Something works less well, or some Applications do not."""
    FAILED = "failed"
    """Dispatch does not work without it."""
    INFO = "info"


_SIGNS = {Mark.GOOD: "✓", Mark.WARNING: "!", Mark.FAILED: "✗", Mark.INFO: "·"}
_COLOURS = {Mark.GOOD: "green", Mark.WARNING: "yellow", Mark.FAILED: "red", Mark.INFO: ""}


class Check(NamedTuple):
    """`found` says what is, `advice` what to do about it; empty when there is nothing to do."""

    name: str
    mark: Mark
    found: str
    advice: str = ""


def as_lines(checks: Sequence[Check], paint: Paint) -> list[str]:
    """One line a check, and one below it for the advice."""
    width = max((columns(check.name) for check in checks), default=0)
    lines = []
    for check in checks:
        sign = paint(_SIGNS[check.mark], _COLOURS[check.mark])
        lines.append(f"{sign} {check.name}{' ' * (width - columns(check.name))}   {one_line(check.found)}".rstrip())
        if check.advice:
            lines.append(f"  {' ' * width}   {paint('do:', 'bold')} {one_line(check.advice)}")
    return lines


def as_values(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [
        {"check": check.name, "result": check.mark.value, "found": check.found, "advice": check.advice}
        for check in checks
    ]
