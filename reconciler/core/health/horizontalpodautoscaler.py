"""HorizontalPodAutoscaler.autoscaling, by its conditions, as gitops-engine's health_hpa.go."""

from __future__ import annotations

import json
from typing import Any

from reconciler.core.health.conditions import every
from reconciler.core.health.fields import Malformed, mapping, text
from reconciler.core.health.verdict import degraded, healthy, progressing
from reconciler.model.health import Health

# autoscaling/v1 has no conditions; the server writes them here (k8s.io/kubernetes/pkg/apis/autoscaling/annotations.go).
V1_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"

FAILURES = frozenset(
    {
        ("AbleToScale", "FailedGetScale"),
        ("AbleToScale", "FailedUpdateScale"),
        ("ScalingActive", "FailedGetResourceMetric"),
        ("ScalingActive", "FailedGetContainerResourceMetric"),
        ("ScalingActive", "FailedGetObjectMetric"),
        ("ScalingActive", "FailedGetPodsMetric"),
        ("ScalingActive", "FailedGetExternalMetric"),
        ("ScalingActive", "FailedComputeMetricsReplicas"),
        ("ScalingActive", "InvalidSelector"),
    }
)


def assess(document: dict[str, Any]) -> Health:
    found = list(every(_with_conditions(document)))
    for one in found:
        if (one.type, one.reason) in FAILURES:
            return degraded(one.why)
    if not any(one.true for one in found if one.type in ("AbleToScale", "ScalingLimited")):
        return progressing("waiting for the autoscaler to read the scale of its target")
    off = next((one for one in found if one.type == "ScalingActive" and one.false), None)
    return healthy(off.why if off else "")


def _with_conditions(document: dict[str, Any]) -> dict[str, Any]:
    written = text(mapping(document, "metadata", "annotations"), V1_CONDITIONS)
    if not written or text(document, "apiVersion") != "autoscaling/v1":
        return document
    try:
        return {"status": {"conditions": json.loads(written)}}
    except (ValueError, RecursionError) as error:
        raise Malformed(("metadata", "annotations", V1_CONDITIONS), "a JSON list", written) from error
