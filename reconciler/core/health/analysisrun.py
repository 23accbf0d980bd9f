"""AnalysisRun.argoproj.io, by its phase, as Argo CD's resource_customizations/argoproj.io/AnalysisRun/health.lua."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.phase import by_phase
from reconciler.model.health import Health, Level

PHASES = {
    "": (Level.PROGRESSING, "waiting for the analysis to start"),
    "Pending": (Level.PROGRESSING, "the analysis is about to start"),
    "Running": (Level.PROGRESSING, "the analysis is running"),
    "Successful": (Level.HEALTHY, ""),
    "Failed": (Level.DEGRADED, "the analysis failed"),
    "Error": (Level.DEGRADED, "the analysis had an error"),
    "Inconclusive": (Level.UNKNOWN, "the analysis was inconclusive: someone has to decide"),
}


def assess(document: dict[str, Any]) -> Health:
    return by_phase(document, PHASES)
