"""A difference between Git and the cluster that somebody made in the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.model.identity import ObjectId


class DriftClass(StrEnum):
    """How the live object differs from Git."""

    CHANGED = "changed"
    """A field that Git names has another value."""
    MISSING = "missing"
    """The object, or a field that Git names, is gone."""
    EXTRA = "extra"
    """A person's tool set a field that Git does not name."""
    TAKEN_OVER = "taken over"
    """Another manager applied the field and owns it now, Dispatch no longer does."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One field of one object. `path` is a JSON pointer, empty when the whole object is missing.

    `manager`, `operation` and `at` are of the `metadata.managedFields` entry that owns the field: who wrote it, by
    which verb, when; empty and None when the server does not say (a deletion).
    """

    id: ObjectId
    kind: DriftClass
    path: str = ""
    wanted: Any = None
    live: Any = None
    manager: str = ""
    operation: str = ""
    at: datetime | None = None
