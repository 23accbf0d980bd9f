"""Texts of others in Markdown that forges show: they stay text, whatever is in them.

Names, messages and values come from Git and from clusters. None of them may end the block or the cell that it is in,
become a link or HTML, mention somebody (`@name`), or close an issue (`closes #1`: forges read that in descriptions).
Rules: https://github.github.com/gfm/ (6.1 backslash escapes, 6.3 code spans, 4.5 fenced code blocks).
"""

from __future__ import annotations

import re

_ZERO = "\u200b"
_ESCAPED = re.compile(r"[\\`*_\[\]|~!{}]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": f"@{_ZERO}", "#": f"#{_ZERO}"}
_CODE = re.compile(r"[A-Za-z0-9._/:@+ =,-]+")
_GH = re.compile(r"(?i)\b(GH-)(?=[0-9])")
_BEGINS = re.compile(r"^(?=[-+=/]|[0-9]+[.)])")
_TICKS = re.compile(r"`+")


def inline(text: str, limit: int = 500) -> str:
    """One line of plain text, of at most `limit` characters before it is escaped."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(plain) > limit:
        plain = plain[: limit - 1] + "…"
    escaped = _ESCAPED.sub(lambda found: f"\\{found[0]}", "".join(_ENTITIES.get(letter, letter) for letter in plain))
    # `GH-1` is an issue, too; an address would become a link; a list or a command of GitLab begins a line.
    return _BEGINS.sub(_ZERO, _GH.sub(rf"\1{_ZERO}", escaped.replace("://", f":{_ZERO}//")))


def code(text: str) -> str:
    """A name or a value in the letters of code; as plain text where it is none that code can hold on every forge."""
    return f"`{text}`" if _CODE.fullmatch(text) and text == text.strip() else inline(text)


def fenced(text: str, language: str = "") -> str:
    """A block of code that the text cannot end: its fence is longer than any in it. What is not printable is written
    as its number, so that nothing is shown in another order than it is.
    """
    plain = "\n".join("".join(map(_shown, line)) for line in text.split("\n"))
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(plain)), default=0))
    return f"{fence}{language}\n{plain}\n{fence}"


def folded(summary: str, content: str) -> str:
    """A part that is shown when somebody opens it. `summary` is plain text, `content` is Markdown."""
    return f"<details><summary>{inline(summary)}</summary>\n\n{content}\n\n</details>\n"


def _shown(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\t" else f"\\u{{{ord(letter):x}}}"
