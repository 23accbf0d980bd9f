"""Experiment.argoproj.io, by its phase, as Argo CD's resource_customizations/argoproj.io/Experiment/health.lua."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.phase import by_phase
from reconciler.model.health import Health, Level

PHASES = {
    "": (Level.PROGRESSING, "waiting for the experiment to start"),
    "Pending": (Level.PROGRESSING, "the experiment is about to start"),
    "Running": (Level.PROGRESSING, "the experiment is running"),
    "Successful": (Level.HEALTHY, ""),
    "Failed": (Level.DEGRADED, "the experiment failed"),
    "Error": (Level.DEGRADED, "the experiment had an error"),
    "Inconclusive": (Level.UNKNOWN, "the experiment was inconclusive: someone has to decide"),
}


def assess(document: dict[str, Any]) -> Health:
    return by_phase(document, PHASES)
