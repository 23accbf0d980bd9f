"""Autoscalers of a Deployment that a Rollout takes over: they scale the Rollout then."""

from __future__ import annotations

from typing import Any

from reconciler.model.identity import GroupKind, ObjectId, group_of
from reconciler.model.manifest import Manifest

_LEAST = {
    GroupKind("autoscaling", "HorizontalPodAutoscaler"): "minReplicas",
    GroupKind("keda.sh", "ScaledObject"): "minReplicaCount",
}


def target(manifest: Manifest, namespace: str) -> ObjectId | None:
    """The Deployment that the object scales; None for one that scales something else, or that is no autoscaler.

    `namespace` is for an object that names none. KEDA's targets are Deployments where they do not say what they are.
    """
    if manifest.id.group_kind not in _LEAST:
        return None
    ref = (manifest.document.get("spec") or {}).get("scaleTargetRef")
    if not isinstance(ref, dict) or ref.get("kind", "Deployment") != "Deployment":
        return None
    if group_of(str(ref.get("apiVersion", "apps/v1"))) != "apps":
        return None
    return ObjectId("apps", "Deployment", manifest.id.namespace or namespace, str(ref.get("name", "")))


def redirected(manifest: Manifest) -> Manifest:
    """The same autoscaler, scaling the Rollout that has the Deployment's name."""
    spec = manifest.document["spec"]
    ref = {**spec["scaleTargetRef"], "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    document: dict[str, Any] = {**manifest.document, "spec": {**spec, "scaleTargetRef": ref}}
    return Manifest(document, manifest.origin)


def least(manifest: Manifest) -> int:
    """The fewest pods that the autoscaler leaves, at least 1."""
    found = (manifest.document.get("spec") or {}).get(_LEAST[manifest.id.group_kind])
    return max(found, 1) if isinstance(found, int) else 1
