"""The Rollout that Dispatch makes for a Deployment, and the Deployment beside it."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from reconciler.core.order import ARGO_WAVE, WAVE
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rollout import CANDIDATE
from reconciler.model.strategy import Progressive

_COPIED = (
    WAVE,
    ARGO_WAVE,
    "dispatch.dev/prune",
    "argocd.argoproj.io/sync-options",
    "helm.sh/resource-policy",
    "kustomize.toolkit.fluxcd.io/prune",
)
"""Annotations of the Deployment that its Rollout needs as well: when it is applied, and that it outlives Git."""


def rollout(
    deployment: Manifest, namespace: str, replicas: int, params: Progressive, strategy: Mapping[str, Any]
) -> dict[str, Any]:
    """The Rollout that walks the Deployment's template out. `strategy` is its `spec.strategy`.

    Raises Terminal(INVALID_SPEC) for a deadline that the controller refuses.
    """
    spec = _spec(deployment)
    deadline, settling = ceil(params.progress_deadline), int(spec.get("minReadySeconds") or 0)
    if deadline <= settling:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{deployment.origin}: {deployment.id.name} has minReadySeconds {settling}, so that no pod could be ready "
            f"within spec.strategy.*.progressDeadline {deadline}s: make the deadline longer.",
        )
    document = _bare(deployment, namespace, replicas, "progressively", strategy)
    document["spec"]["progressDeadlineSeconds"] = deadline
    if params.rollback_window is not None:
        document["spec"]["rollbackWindow"] = {"revisions": params.rollback_window}
    return document


def parting_rollout(deployment: Manifest, namespace: str, replicas: int) -> dict[str, Any]:
    """The Rollout on its way out: it keeps its pods, names no Service (so that the controller lets them go), judges
    nothing, and replaces pods as the Deployment itself would.
    """
    return _bare(deployment, namespace, replicas, "never", {"canary": _as_the_deployment_does(deployment)})


def marked(manifest: Manifest, mark: str) -> Manifest:
    """The manifest with the CANDIDATE annotation."""
    metadata = manifest.document["metadata"]
    annotations = {**(metadata.get("annotations") or {}), CANDIDATE: mark}
    return Manifest({**manifest.document, "metadata": {**metadata, "annotations": annotations}}, manifest.origin)


def scaled(manifest: Manifest, replicas: int | None) -> Manifest:
    """The manifest with this number of pods; None leaves the field out."""
    spec = {name: value for name, value in _spec(manifest).items() if name != "replicas"}
    if replicas is not None:
        spec["replicas"] = replicas
    return Manifest({**manifest.document, "spec": spec}, manifest.origin)


def beside(document: Mapping[str, Any], deployment: Manifest, namespace: str) -> dict[str, Any]:
    """What a Rollout refers to, applied when the Deployment is."""
    metadata = {**document["metadata"], "namespace": namespace}
    if waves := {name: text for name, text in deployment.annotations.items() if name in (WAVE, ARGO_WAVE)}:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **waves}
    return {**document, "metadata": metadata}


def wanted_replicas(manifest: Manifest) -> int | None:
    """The number of pods that Git says; None where it says none."""
    found = _spec(manifest).get("replicas")
    return found if isinstance(found, int) else None


def pod_labels(manifest: Manifest) -> Mapping[str, Any]:
    """The labels of the pods."""
    metadata = (_spec(manifest).get("template") or {}).get("metadata") or {}
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}


def _bare(
    deployment: Manifest, namespace: str, replicas: int, scale_down: str, strategy: Mapping[str, Any]
) -> dict[str, Any]:
    given = _spec(deployment)
    spec: dict[str, Any] = {
        "replicas": replicas,
        "workloadRef": {
            "apiVersion": deployment.api_version,
            "kind": "Deployment",
            "name": deployment.id.name,
            "scaleDown": scale_down,
        },
        "strategy": dict(strategy),
    }
    for field in ("revisionHistoryLimit", "minReadySeconds"):
        if given.get(field) is not None:
            spec[field] = given[field]
    metadata: dict[str, Any] = {"name": deployment.id.name, "namespace": namespace}
    if labels := deployment.document["metadata"].get("labels"):
        metadata["labels"] = dict(labels)
    if copied := {name: text for name, text in deployment.annotations.items() if name in _COPIED}:
        metadata["annotations"] = copied
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec}


def _as_the_deployment_does(deployment: Manifest) -> dict[str, Any]:
    """Written out with the defaults: an empty map that loses its last field by an apply becomes null, which the
    definition of the kind refuses.
    """
    rolling = (_spec(deployment).get("strategy") or {}).get("rollingUpdate") or {}
    given = {name: rolling[name] for name in ("maxSurge", "maxUnavailable") if rolling.get(name) is not None}
    return {"maxSurge": "25%", "maxUnavailable": "25%"} | given


def _spec(manifest: Manifest) -> Mapping[str, Any]:
    spec = manifest.document.get("spec")
    return spec if isinstance(spec, Mapping) else {}
