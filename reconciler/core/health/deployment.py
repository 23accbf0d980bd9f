"""Deployment.apps, as `kubectl rollout status` and gitops-engine's health_deployment.go."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import one
from reconciler.core.health.fields import flag, integer
from reconciler.core.health.generation import unobserved
from reconciler.core.health.verdict import degraded, healthy, progressing, quoted, suspended
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    if flag(document, "spec", "paused"):
        return suspended("the Deployment is paused (spec.paused)")
    if waiting := unobserved(document, required=True):
        return waiting
    progress = one(document, "Progressing")
    if progress and progress.reason == "ProgressDeadlineExceeded":
        return degraded(progress.why)
    missing = _missing(document)
    if not missing:
        return healthy()
    failure = one(document, "ReplicaFailure")
    if failure and failure.true:
        missing += f": {quoted(failure.message)}"
    return progressing(missing)


def _missing(document: dict[str, Any]) -> str:
    wanted = integer(document, "spec", "replicas", default=1)
    replicas = integer(document, "status", "replicas")
    updated = integer(document, "status", "updatedReplicas")
    available = integer(document, "status", "availableReplicas")
    if updated < wanted:
        return f"{updated} of {wanted} replicas are updated"
    if replicas > updated:
        return f"{replicas - updated} old replicas are still to end"
    if available < updated:
        return f"{available} of {updated} updated replicas are available"
    return ""
