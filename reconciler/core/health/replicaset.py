"""ReplicaSet.apps, as gitops-engine's health_replicaset.go; surplus replicas as kstatus."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import one
from reconciler.core.health.fields import integer
from reconciler.core.health.generation import unobserved
from reconciler.core.health.verdict import degraded, healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    if waiting := unobserved(document, required=True):
        return waiting
    failure = one(document, "ReplicaFailure")
    if failure and failure.true:
        return degraded(failure.why or "replicas cannot be made")
    wanted = integer(document, "spec", "replicas", default=1)
    replicas = integer(document, "status", "replicas")
    available = integer(document, "status", "availableReplicas")
    if available < wanted:
        return progressing(f"{available} of {wanted} replicas are available")
    if replicas > wanted:
        return progressing(f"{replicas - wanted} surplus replicas are still to end")
    return healthy()
