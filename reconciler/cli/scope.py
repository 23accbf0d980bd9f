"""Which objects live in no namespace, as far as that can be told without a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.core.definitions import defined_resources
from reconciler.model.identity import GroupKind
from reconciler.model.manifest import Manifest

_BY_GROUP = {
    "": ("Namespace", "Node", "PersistentVolume"),
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "certificates.k8s.io": ("CertificateSigningRequest", "ClusterTrustBundle"),
    "flowcontrol.apiserver.k8s.io": ("FlowSchema", "PriorityLevelConfiguration"),
    "networking.k8s.io": ("IPAddress", "IngressClass", "ServiceCIDR"),
    "node.k8s.io": ("RuntimeClass",),
    "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding"),
    "resource.k8s.io": ("DeviceClass", "DeviceTaintRule", "ResourceSlice"),
    "scheduling.k8s.io": ("PriorityClass",),
    "storage.k8s.io": ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"),
    "argoproj.io": ("ClusterAnalysisTemplate", "ClusterWorkflowTemplate"),
    "cert-manager.io": ("ClusterIssuer",),
    "gateway.networking.k8s.io": ("GatewayClass",),
}
_CLUSTER_WIDE = frozenset(GroupKind(group, kind) for group, kinds in _BY_GROUP.items() for kind in kinds)
"""`kubectl api-resources --namespaced=false` of Kubernetes 1.35, and a few custom kinds that are everywhere."""


def with_namespace(manifests: Sequence[Manifest], namespace: str) -> list[dict[str, Any]]:
    """The documents, in `namespace` where they name none and their kind lives in one. A custom kind that no definition
    among them describes is taken as living in one, as nearly all do."""
    defined = defined_resources(manifests)

    def placed(manifest: Manifest) -> dict[str, Any]:
        resource = defined.get((manifest.api_version, manifest.kind))
        wide = manifest.id.group_kind in _CLUSTER_WIDE if resource is None else not resource.namespaced
        metadata = manifest.document.get("metadata") or {}
        if wide or metadata.get("namespace"):
            return manifest.document
        return {**manifest.document, "metadata": {**metadata, "namespace": namespace}}

    return [placed(manifest) for manifest in manifests]
