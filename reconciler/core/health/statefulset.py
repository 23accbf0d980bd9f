"""StatefulSet.apps, as `kubectl rollout status` and gitops-engine's health_statefulset.go; surplus as kstatus."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import integer, text, value
from reconciler.core.health.generation import unobserved
from reconciler.core.health.verdict import healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    if waiting := unobserved(document, required=True):
        return waiting
    wanted = integer(document, "spec", "replicas", default=1)
    up, word = _up(document)
    if up < wanted:
        return progressing(f"{up} of {wanted} replicas are {word}")
    replicas = integer(document, "status", "replicas")
    if replicas > wanted:
        return progressing(f"{replicas - wanted} surplus replicas are still to end")
    return _revision(document, wanted)


def _up(document: dict[str, Any]) -> tuple[int, str]:
    """With `minReadySeconds` a ready Pod does not count yet; servers before 1.22 do not say which are available."""
    available = value(document, "status", "availableReplicas")
    if integer(document, "spec", "minReadySeconds") and available is not None:
        return integer(document, "status", "availableReplicas"), "available"
    return integer(document, "status", "readyReplicas"), "ready"


def _revision(document: dict[str, Any], wanted: int) -> Health:
    updated = integer(document, "status", "updatedReplicas")
    current = text(document, "status", "currentRevision")
    target = text(document, "status", "updateRevision")
    if text(document, "spec", "updateStrategy", "type") == "OnDelete":
        if current == target:
            return healthy()
        return healthy(f"{updated} of {wanted} replicas are updated; the others follow when their Pods are deleted")
    if value(document, "spec", "updateStrategy", "rollingUpdate") is not None:
        partition = integer(document, "spec", "updateStrategy", "rollingUpdate", "partition")
        if updated < wanted - partition:
            return progressing(f"{updated} of {wanted - partition} replicas are updated")
        return healthy(f"{updated} of {wanted} replicas are updated (partition {partition})" if partition > 0 else "")
    if current != target:
        return progressing(f"{updated} of {wanted} replicas are updated")
    return healthy()
