"""APIService.apiregistration.k8s.io, by its Available condition, as gitops-engine's health_apiservice.go."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import one
from reconciler.core.health.verdict import healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    available = one(document, "Available")
    if available is None:
        return progressing("waiting for the API server to try it")
    return healthy() if available.true else progressing(available.why)
