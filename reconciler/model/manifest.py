"""One wanted object and the place in Git that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from reconciler.model.identity import ObjectId, identify


class Origin(NamedTuple):
    """Where a document starts. `line` counts from 1; 0 when a tool wrote the document and the line is not known."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Manifest:
    """`document` is the object as plain dicts and lists, never changed in place."""

    document: dict[str, Any]
    origin: Origin

    @property
    def id(self) -> ObjectId:
        """The identity as written: the namespace may still be missing."""
        return identify(self.document)

    @property
    def api_version(self) -> str:
        return str(self.document.get("apiVersion", ""))

    @property
    def kind(self) -> str:
        return str(self.document.get("kind", ""))

    @property
    def annotations(self) -> dict[str, str]:
        return (self.document.get("metadata") or {}).get("annotations") or {}
