"""Texts to and from forges: what they say when they refuse, and what fits into a pull request and a comment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from reconciler.adapters.http import Answer

LONGEST_DESCRIPTION = 140
"""Characters of a commit status: GitHub's limit, kept everywhere."""
_LONGEST = 300
_DEEPEST = 4
_FENCE = "```"


def message_of(answer: Answer) -> str:
    """What a refusal says, as it came; empty when it says nothing.

    Gitea: `message`. GitHub: `message`, and more in the `message` of its `errors`. GitLab: `message`, a text, a list or
    a map of lists; or `error` with `error_description`.
    """
    if not isinstance(answer.body, dict):
        return ""
    body = answer.body
    errors = [part.get("message") for part in _list(body.get("errors")) if isinstance(part, dict)]
    parts = [
        *_texts(body.get("message")),
        *_texts(errors),
        *_texts(body.get("error")),
        *_texts(body.get("error_description")),
    ]
    return ": ".join(parts)


def one_line(text: str, answer: Answer) -> str:
    """A sentence of one printable line; the status when there is no text."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(plain.split())[:_LONGEST] or f"HTTP {answer.status}"
    return line if line.endswith((".", "!", "?")) else f"{line}."


def fitted(text: str, limit: int) -> str:
    """At most `limit` characters: cut at the end of a line, with a sentence that says so. What the cut leaves open of
    Markdown (a fence of code, a fold) is closed, so that the sentence is seen."""
    if len(text) <= limit:
        return text
    said = f"This text is cut here: it has {len(text)} characters, and the forge takes {limit}."
    end = "\n{}\n" + said
    # Room for what is closed: a fence, and a fold for each that may be open.
    room = max(0, limit - len(end) - len(_FENCE) - 1)
    kept = text[:room]
    kept = kept[: kept.rfind("\n") + 1] or kept
    while len(kept) + len(closing := _closing(kept)) + len(end) > limit:
        kept = kept[: len(kept) - max(1, len(kept) + len(closing) + len(end) - limit)]
    return kept.rstrip("\n") + end.format(closing)


def _closing(kept: str) -> str:
    fence = f"{_FENCE}\n" if sum(line.startswith(_FENCE) for line in kept.splitlines()) % 2 else ""
    return fence + "</details>\n" * max(0, kept.count("<details") - kept.count("</details>"))


def marked(marker: str, text: str, limit: int) -> str:
    """A comment that is found again by its first line, which readers do not see."""
    line = mark(marker)
    return f"{line}\n{fitted(text, limit - len(line) - 1)}"


def mark(marker: str) -> str:
    """The first line. Nothing of the marker can end it: HTML's `-->`."""
    return f"<!-- dispatch:{quote(marker, safe='/:@.').replace('--', '-%2D')} -->"


def same(one: object, other: str) -> bool:
    """Whether a forge keeps this text already: it may trim ends and write the breaks of lines in its own way."""
    return isinstance(one, str) and _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, list) and depth < _DEEPEST:
        for part in value:
            yield from _texts(part, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        for name, part in value.items():
            yield from (f"{name} {text}" for text in _texts(part, depth + 1))
