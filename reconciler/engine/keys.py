"""The keys of the queue: which document of which kind."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Key(NamedTuple):
    """One Repository or Application."""

    kind: Literal["Repository", "Application"]
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"
