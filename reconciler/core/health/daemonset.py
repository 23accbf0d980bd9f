"""DaemonSet.apps, as `kubectl rollout status` and gitops-engine's health_daemonset.go."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import integer, text, value
from reconciler.core.health.generation import unobserved
from reconciler.core.health.verdict import healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    if waiting := unobserved(document, required=True):
        return waiting
    if value(document, "status", "desiredNumberScheduled") is None:
        return progressing("waiting for the controller to count the nodes")
    wanted = integer(document, "status", "desiredNumberScheduled")
    updated = integer(document, "status", "updatedNumberScheduled")
    available = integer(document, "status", "numberAvailable")
    on_delete = text(document, "spec", "updateStrategy", "type") == "OnDelete"
    if updated < wanted and not on_delete:
        return progressing(f"{updated} of {wanted} Pods are updated")
    if available < wanted:
        return progressing(f"{available} of {wanted} Pods are available")
    if updated < wanted:
        return healthy(f"{updated} of {wanted} Pods are updated; the others follow when they are deleted")
    return healthy()
