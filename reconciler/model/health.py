"""The health of one object or of a whole application, in the words that Argo CD's users know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """From best to worst; the order of definition is the order of `worst`, which is Argo CD's."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


_ORDER = {level: position for position, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Health:
    """`message` says why; empty for an object that is simply Healthy."""

    level: Level
    message: str = ""


HEALTHY = Health(Level.HEALTHY)


def worst(levels: Iterable[Level]) -> Level:
    """The worst of the levels; Healthy when there are none."""
    return max(levels, key=_ORDER.__getitem__, default=Level.HEALTHY)
