"""What a commit object says (gitformat-pack does not describe it; `git cat-file commit` prints it)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 120
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_id(text: str) -> bool:
    """Whether `text` is a whole commit id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Commit:
    """`tree` is the id of its root tree; `subject` is `author: first line`, at most 120 characters.

    `message` is the whole of it; `committed` is the committer's time in seconds since 1970, 0 for one that cannot be
    read.
    """

    tree: str
    subject: str
    message: str
    committed: int

    @classmethod
    def parse(cls, content: bytes) -> Commit:
        """Read the headers up to the empty line, then the message.

        Raises KeyError when the object is not a commit (an annotated tag, for one).
        """
        head, _, message = content.partition(b"\n\n")
        # A line that begins with a space continues a signature.
        lines = (line.partition(b" ") for line in head.split(b"\n") if not line.startswith(b" "))
        headers = {name: value for name, _, value in lines}
        encoding = headers.get(b"encoding", b"utf-8").decode("ascii", "replace")
        author = re.sub(r"\s*<[^>]*>.*", "", _text(headers.get(b"author", b""), encoding))
        first = message.strip().split(b"\n", 1)[0]
        return cls(
            headers[b"tree"].decode(),
            short(f"{author}: {_text(first, encoding)}"),
            _text(message, encoding),
            _seconds(headers.get(b"committer", b"")),
        )


def _seconds(person: bytes) -> int:
    """The time at the end of `name <email> seconds zone`. Old commits of real repositories have any nonsense there."""
    found = re.search(rb"> ?([0-9]{1,10})(?: |$)", person)
    return int(found[1]) if found else 0


def _text(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def short(text: str) -> str:
    """One printable line of at most 120 characters: what is in a commit must not steer a terminal."""
    plain = "".join(character for character in text if character.isprintable()).strip()
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
