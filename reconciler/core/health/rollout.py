"""Rollout.argoproj.io: the controller's own phase, once it has seen the spec.

After GetRolloutPhase of Argo Rollouts (utils/rollout/rolloututil.go), which `kubectl argo rollouts status` uses, and
Argo CD's resource_customizations/argoproj.io/Rollout/health.lua, which calls Paused Suspended.
"""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import flag, integer, items, mapping, text
from reconciler.core.health.generation import number, observed
from reconciler.core.health.rollout_before_1_0 import calculate
from reconciler.core.health.verdict import degraded, healthy, progressing, quoted, suspended, unknown
from reconciler.model.health import Health

WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"


def assess(document: dict[str, Any]) -> Health:
    if waiting := unseen(document):
        return progressing(waiting)
    phase = text(document, "status", "phase")
    return _by_phase(phase, quoted(text(document, "status", "message"))) if phase else calculate(document)


def _by_phase(phase: str, message: str) -> Health:
    if phase == "Healthy":
        return healthy(message)
    if phase == "Progressing":
        return progressing(message or "the rollout is under way")
    if phase == "Paused":
        return suspended(f"paused: {message}" if message else "paused")
    if phase == "Degraded":
        return degraded(message or "the rollout is degraded")
    return unknown(f"phase {quoted(phase)} is not one of a Rollout")


def unseen(document: dict[str, Any]) -> str:
    """What the controller has still to see, empty when its status speaks of what stands there now.

    The first three checks of GetRolloutPhase, and a status that is not there yet. Raises Malformed.
    """
    if not mapping(document, "status") or not _generation_seen(document):
        return "waiting for the controller to see the spec of the Rollout"
    if flag(document, "status", "controllerPause") and not items(document, "status", "pauseConditions"):
        # Someone promoted it: the pause is taken away and the controller has not moved on yet.
        return "waiting for the controller to leave the pause"
    if not _workload_seen(document):
        return "waiting for the controller to see the spec of the workload that the Rollout refers to"
    return ""


def refused(document: dict[str, Any]) -> bool:
    """The condition is there only while the spec is invalid, whatever its status says (CalculateRolloutPhase)."""
    return any(text(one, "type") == "InvalidSpec" for one in items(document, "status", "conditions"))


def _generation_seen(document: dict[str, Any]) -> bool:
    seen = observed(document)
    return seen is None or seen >= integer(document, "metadata", "generation")


def _workload_seen(document: dict[str, Any]) -> bool:
    # A spec that it refuses, because there is no such workload for one, it has seen all the same.
    if not mapping(document, "spec", "workloadRef") or refused(document):
        return True
    wanted = number(document, "metadata", "annotations", WORKLOAD_GENERATION)
    seen = number(document, "status", "workloadObservedGeneration")
    return wanted is None or seen is None or wanted == seen
