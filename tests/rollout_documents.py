"""A canary and a blue/green in flight, as the API server holds them: recorded from Argo Rollouts 1.10, cut to size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.cli.rollout.picture import Scene
from reconciler.model.identity import ObjectId

NOW = datetime(2026, 11, 26, 4, 33, tzinfo=UTC)
NEW, OLD = "58889b8968", "c475f9f49"
NEW_COMMIT, OLD_COMMIT = "4" * 40, "3" * 40
STEPS: list[dict[str, Any]] = [
    {"setWeight": 25},
    {"pause": {}},
    {"analysis": {"templates": [{"templateName": "web-step-3"}]}},
    {"setWeight": 60},
    {"pause": {"duration": "20s"}},
]
GIVEN: list[dict[str, Any]] = [
    {"weight": 25},
    {"pause": {}},
    {"gate": {"approval": True}},
    {"weight": 60},
    {"pause": {"duration": "20s"}},
]


def rollout(status: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Version NEW at the pause of step 2; `status` replaces fields, None takes one away."""
    now: dict[str, Any] = {
        "currentPodHash": NEW,
        "stableRS": OLD,
        "currentStepIndex": 1,
        "observedGeneration": "2",
        "phase": "Paused",
        "message": "CanaryPauseStep",
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-26T04:32:00Z"}],
        "controllerPause": True,
        "updatedReplicas": 1,
        "availableReplicas": 4,
        **(status or {}),
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "u1",
            "generation": 2,
            "annotations": {"dispatch.dev/candidate": f"0123456789abcdef.{NEW_COMMIT}"},
        },
        "spec": {
            "replicas": 4,
            "strategy": {"canary": {"steps": STEPS}},
            "template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.29.4"}]}},
            **spec,
        },
        "status": {name: value for name, value in now.items() if value is not None},
    }


def application(**status: Any) -> dict[str, Any]:
    told = {
        "object": "Rollout.argoproj.io/shop/web",
        "podHash": NEW,
        "decision": "hold",
        "message": f"version {NEW} at step 2 of 5 waits for a person: `dispatch rollout promote web`",
    }
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "team-a"},
        "spec": {"strategy": {"canary": {"steps": GIVEN}}},
        "status": {
            "rollouts": [told],
            "promoted": {"revision": OLD_COMMIT, "templates": {"web": "fedcba9876543210"}},
            **status,
        },
    }


def replica_set(hash: str, image: str, wanted: int, ready: int) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"web-{hash}",
            "namespace": "shop",
            "uid": hash,
            "labels": {"rollouts-pod-template-hash": hash},
            "ownerReferences": [{"uid": "u1", "controller": True}],
        },
        "spec": {"replicas": wanted, "template": {"spec": {"containers": [{"name": "web", "image": image}]}}},
        "status": {"replicas": wanted, "readyReplicas": ready},
    }


def pod(hash: str, name: str, ready: bool = True) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"web-{hash}-{name}",
            "namespace": "shop",
            "labels": {"rollouts-pod-template-hash": hash},
            "ownerReferences": [{"uid": hash, "controller": True}],
        },
        "spec": {"containers": [{"name": "web"}]},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def run(step: int, phase: str, *values: str, made: str = "2026-11-26T04:32:30Z", **metric: Any) -> dict[str, Any]:
    measured = [{"phase": "Successful", "value": value, "finishedAt": made} for value in values]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {
            "name": f"web-{NEW}-2-{step}",
            "namespace": "shop",
            "creationTimestamp": made,
            "labels": {"rollouts-pod-template-hash": NEW, "rollout-type": "Step", "step-index": str(step)},
            "ownerReferences": [{"uid": "u1", "controller": True}],
        },
        "spec": {},
        "status": {
            "phase": phase,
            "metricResults": [{"name": "errors", "phase": phase, "measurements": measured, **metric}],
        },
    }


PODS = [pod(NEW, "h6h98"), pod(OLD, "574wk"), pod(OLD, "5gjvh"), pod(OLD, "rmgsv", ready=False)]
SETS = [replica_set(NEW, "nginx:1.29.4", 1, 1), replica_set(OLD, "nginx:1.29.3", 3, 2)]


def scene(
    one: dict[str, Any] | None = None, *around: dict[str, Any], of: dict[str, Any] | None = None, **status: Any
) -> Scene:
    workloads: dict[ObjectId, Any] = {}
    return Scene(of or application(**status), [one or rollout()], workloads, [*SETS, *PODS, *around])


def blue_green(status: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Version NEW waits for an approval of the switch."""
    way = {
        "activeService": "web",
        "previewService": "web-preview",
        "autoPromotionEnabled": False,
        "prePromotionAnalysis": {"templates": []},
        **spec,
    }
    here = {
        "currentStepIndex": None,
        "message": "BlueGreenPause",
        "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-11-26T04:32:00Z"}],
        "updatedReplicas": 4,
        "blueGreen": {
            "activeSelector": OLD,
            "previewSelector": NEW,
            "prePromotionAnalysisRunStatus": {"name": "x", "status": "Successful"},
        },
        **(status or {}),
    }
    return rollout(here, strategy={"blueGreen": way})
