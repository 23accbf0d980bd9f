"""The phase of a Rollout whose controller does not write one (Argo Rollouts before 1.0).

After CalculateRolloutPhase of Argo Rollouts (utils/rollout/rolloututil.go) and the second half of Argo CD's
resource_customizations/argoproj.io/Rollout/health.lua.
"""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import every
from reconciler.core.health.fields import flag, integer, items, text, value
from reconciler.core.health.verdict import degraded, healthy, progressing, quoted, suspended
from reconciler.model.health import Health


def calculate(document: dict[str, Any]) -> Health:
    for one in every(document):
        if one.type == "InvalidSpec" or one.reason in ("RolloutAborted", "ProgressDeadlineExceeded"):
            return degraded(one.why or one.type)
    if flag(document, "spec", "paused"):
        return suspended("paused: manually paused")
    for pause in items(document, "status", "pauseConditions"):
        return suspended(f"paused: {quoted(text(pause, 'reason'))}")
    if not text(document, "status", "currentPodHash"):
        return progressing("waiting for the controller to write the status of the Rollout")
    missing = _replicas(document) or _blue_green(document) or _canary(document)
    return progressing(missing) if missing else healthy()


def _replicas(document: dict[str, Any]) -> str:
    wanted = integer(document, "spec", "replicas", default=1)
    updated = integer(document, "status", "updatedReplicas")
    available = integer(document, "status", "availableReplicas")
    if updated < wanted:
        return f"{updated} of {wanted} replicas are updated"
    if available < updated:
        return f"{available} of {updated} updated replicas are available"
    return ""


def _blue_green(document: dict[str, Any]) -> str:
    if value(document, "spec", "strategy", "blueGreen") is None:
        return ""
    current = text(document, "status", "currentPodHash")
    if text(document, "status", "blueGreen", "activeSelector") != current:
        return "the active Service is still to be switched"
    # Before v0.8 a blue-green Rollout named no stable ReplicaSet.
    if _stable(document) not in ("", current):
        return "waiting for the analysis to complete"
    return ""


def _canary(document: dict[str, Any]) -> str:
    if value(document, "spec", "strategy", "canary") is None:
        return ""
    old = integer(document, "status", "replicas") - integer(document, "status", "updatedReplicas")
    # With traffic routing the old replicas stay on purpose for a while (scaleDownDelaySeconds).
    if old > 0 and value(document, "spec", "strategy", "canary", "trafficRouting") is None:
        return f"{old} old replicas are still to end"
    if _stable(document) != text(document, "status", "currentPodHash"):
        return "waiting for all steps to complete"
    return ""


def _stable(document: dict[str, Any]) -> str:
    """Before v0.8 it stood under `status.canary`."""
    return text(document, "status", "stableRS") or text(document, "status", "canary", "stableRS")
