"""Aligned text tables."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_GAP = "   "
_SMALLEST = 12
"""A last column is never cut to fewer characters: a message of three letters says nothing."""


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Columns as wide as their widest cell, three spaces apart, without blanks at the end of a line.

    The last column is cut so that a line has at most `width` characters; None leaves it whole. Cells are shown on one
    line and cannot move the terminal.
    """
    lines = [list(headers), *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(columns(line[place]) for line in lines) for place in range(len(headers))]
    if width is not None:
        widths[-1] = min(widths[-1], max(width - sum(widths[:-1]) - len(_GAP) * (len(widths) - 1), _SMALLEST))
    return "\n".join(_line(line, widths) for line in lines)


def one_line(text: str) -> str:
    """The text on one line, without control characters: names and messages come from others."""
    if text.isprintable():
        return text
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def columns(text: str) -> int:
    """How many columns of a terminal the text takes (Unicode Standard Annex 11: wide letters take two)."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(letter) for letter in text)


def cut(text: str, width: int) -> str:
    """The text, with `…` at the end where it is wider than `width` columns."""
    if columns(text) <= width:
        return text
    kept, room = [], width - 1
    for letter in text:
        room -= _columns_of(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - columns(cell)) for cell, width in zip(cells[:-1], widths, strict=False)]
    return _GAP.join([*padded, cut(cells[-1], widths[-1])]).rstrip()


def _columns_of(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
