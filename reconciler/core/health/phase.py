"""A kind whose verdict is a table from `status.phase`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.core.health.fields import text
from reconciler.core.health.verdict import quoted, unknown
from reconciler.model.health import Health, Level

Phases = Mapping[str, tuple[Level, str]]


def by_phase(document: dict[str, Any], phases: Phases) -> Health:
    """The level of the phase, its sentence, and the controller's `status.message` behind it."""
    phase = text(document, "status", "phase")
    if phase not in phases:
        return unknown(f"phase {quoted(phase)} is not one of {', '.join(name for name in phases if name)}")
    level, sentence = phases[phase]
    said = quoted(text(document, "status", "message"))
    return Health(level, ": ".join(part for part in (sentence, said) if part))
