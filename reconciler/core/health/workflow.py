"""Workflow.argoproj.io, by its phase, as gitops-engine's health_argo.go."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.phase import by_phase
from reconciler.model.health import Health, Level

PHASES = {
    "": (Level.PROGRESSING, "waiting for the workflow to start"),
    "Pending": (Level.PROGRESSING, "the workflow is about to start"),
    "Running": (Level.PROGRESSING, "the workflow is running"),
    "Succeeded": (Level.HEALTHY, ""),
    "Failed": (Level.DEGRADED, "the workflow failed"),
    "Error": (Level.DEGRADED, "the workflow had an error"),
}


def assess(document: dict[str, Any]) -> Health:
    return by_phase(document, PHASES)
