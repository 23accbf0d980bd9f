"""A point in the history of a repository."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Revision:
    """`ref` is what the user asked for (branch, tag, ref, commit), `commit` what it is now: 40 or 64 hex digits."""

    ref: str
    commit: str

    def __str__(self) -> str:
        """`main@sha1:0123...`, as Flux writes a revision; a bare commit has no `ref@` part."""
        algorithm = "sha256" if len(self.commit) == 64 else "sha1"
        prefix = "" if self.ref == self.commit else f"{self.ref}@"
        return f"{prefix}{algorithm}:{self.commit}"

    @property
    def short(self) -> str:
        return self.commit[:10]


@dataclass(frozen=True, slots=True)
class PastCommit:
    """A commit of a history. `author` is a name, `subject` the first line of the `message`; both are of one line."""

    commit: str
    author: str
    subject: str
    message: str
