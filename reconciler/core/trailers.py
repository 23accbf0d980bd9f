"""Lines of `Key: value` at the end of a commit message, as git-interpret-trailers(1) reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_LONGEST = 200


def written(subject: str, body: str, trailers: Iterable[tuple[str, str]]) -> str:
    """A whole message. The subject becomes one line; the body stays as it is, but for what would end it too early.

    The values of `trailers` are of one line already.
    """
    lines = "".join(f"{key}: {value}\n" for key, value in trailers)
    text = "\n".join(map(_body_line, body.splitlines())).strip("\n")
    return "\n".join(filter(None, (f"{line(subject)}\n", text and f"{text}\n", lines)))


def read(message: str) -> Iterator[tuple[str, str]]:
    """The trailers in their order: the last paragraph, unless it is the first, which is the subject (trailer.c).

    Keys are in lower case, because Git takes them so. Lines of the paragraph that are no trailers are left out.
    """
    paragraphs = re.split(r"\n[ \t\r]*\n", message.strip())
    for text in paragraphs[-1].split("\n") if len(paragraphs) > 1 else ():
        key, colon, value = text.partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def line(text: str) -> str:
    """One printable line that Git takes for a subject: not empty, and not `---`, after which it reads no trailers."""
    return " ".join(_printable(text).split()).lstrip("-# ")[:_LONGEST] or "change"


def _body_line(text: str) -> str:
    plain = _printable(text).rstrip()
    return f" {plain}" if plain.startswith("---") else plain


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
