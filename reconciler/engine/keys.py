"""The keys of the queue: which document of which kind."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """One document of one of our own kinds: `Application`, `Repository`, ..."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"
