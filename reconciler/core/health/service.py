"""Service of the core group, as gitops-engine's health_service.go."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import text
from reconciler.core.health.loadbalancer import addressed, refused
from reconciler.core.health.verdict import degraded, healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    if text(document, "spec", "type") != "LoadBalancer":
        return healthy()
    if error := refused(document):
        return degraded(error)
    return healthy() if addressed(document) else progressing("waiting for an address of a load balancer")
