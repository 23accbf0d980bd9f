"""What is written to a Rollout's status, as `kubectl argo rollouts` writes it (pkg/kubectl-argo-rollouts/cmd), with
guards: each patch names the version that was judged, and the server refuses it (422) when the Rollout is no longer
that. All of them go to the subresource `status`.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.rollout import AnalysisKind, AnalysisSeen, RolloutSeen

Operation = dict[str, Any]


def release_patch(seen: RolloutSeen) -> list[Operation]:
    """Ends exactly the pause that was seen: a JSON Patch (RFC 6902), of which the first to come takes effect.

    `promote` of kubectl has no guard, and moves the step index of a canary that is not paused: two of them at one pause
    skip a step (promote.go, getPatches). An inconclusive analysis of a step is passed over as there: the step is left
    behind and the controller's pause with it, or the next pause would be taken for one that was ended already.

    Raises ValueError when nothing is paused: then there is nothing to guard by.
    """
    if not (seen.pause and seen.uid and seen.pod_hash):
        raise ValueError(f"{seen.id} is not paused")
    tests = _of_version(seen)
    if seen.step is not None:
        tests.append(_test("/status/currentStepIndex", seen.step))
    tests.append(_test("/status/pauseConditions/0/reason", seen.pause))
    end = {"op": "remove", "path": "/status/pauseConditions"}
    run = _inconclusive(seen)
    if run is None or seen.step is None or not seen.controller_pause:
        return [*tests, end]
    return [
        *tests,
        _test("/status/canary/currentStepAnalysisRunStatus/name", run.name),
        _test("/status/canary/currentStepAnalysisRunStatus/status", run.status),
        end,
        {"op": "add", "path": "/status/controllerPause", "value": False},
        {"op": "add", "path": "/status/currentStepIndex", "value": min(seen.step + 1, seen.steps)},
    ]


def promote_full_patch(seen: RolloutSeen) -> list[Operation]:
    """Skips what is left of the steps of the version that was seen (`promote --full`): a JSON Patch.

    The phase guards it too. A full promotion that is under way beats an abort (canary.go), so it must not come after
    one that was not seen: an abort that is carried out makes the phase Degraded.
    """
    phase = [_test("/status/phase", str(seen.phase))] if seen.phase != "Unknown" else []
    return [*_of_version(seen), *phase, {"op": "add", "path": "/status/promoteFull", "value": True}]


def abort_patch(seen: RolloutSeen) -> list[Operation]:
    """Sends all back to the stable version (`abort`), if the newest is still the one that was seen: a JSON Patch. It
    takes a full promotion back, too, which would beat the abort (RemoveAbort in rollout/canary.go and bluegreen.go).
    """
    return [
        *_of_version(seen),
        {"op": "add", "path": "/status/abort", "value": True},
        {"op": "add", "path": "/status/promoteFull", "value": False},
    ]


def retry_patch(seen: RolloutSeen) -> list[Operation]:
    """Takes the abort of the version that was seen back (`retry rollout`): a JSON Patch. A canary starts again at its
    first step.
    """
    tests = [*_of_version(seen), _test("/status/abort", True)]
    return [*tests, {"op": "replace", "path": "/status/abort", "value": False}]


def _of_version(seen: RolloutSeen) -> list[Operation]:
    return [_test("/metadata/uid", seen.uid), _test("/status/currentPodHash", seen.pod_hash)]


def _inconclusive(seen: RolloutSeen) -> AnalysisSeen | None:
    """The analysis of the step, when it cannot tell."""
    runs = (run for run in seen.analyses if run.kind is AnalysisKind.STEP and run.status == "Inconclusive")
    return next(runs, None)


def _test(path: str, value: Any) -> Operation:
    return {"op": "test", "path": path, "value": value}
