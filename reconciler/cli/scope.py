"""Which objects live in no namespace, as far as that can be told without a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.core.definitions import defined_resources
from reconciler.model.identity import GroupKind
from reconciler.model.manifest import Manifest

_CLUSTER_WIDE = frozenset(
    GroupKind.parse(text)
    for text in (
        "ComponentStatus Namespace Node PersistentVolume "
        "MutatingAdmissionPolicy.admissionregistration.k8s.io MutatingAdmissionPolicyBinding.admissionregistration.k8s.io "
        "MutatingWebhookConfiguration.admissionregistration.k8s.io "
        "ValidatingAdmissionPolicy.admissionregistration.k8s.io "
        "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io "
        "ValidatingWebhookConfiguration.admissionregistration.k8s.io "
        "CustomResourceDefinition.apiextensions.k8s.io APIService.apiregistration.k8s.io "
        "CertificateSigningRequest.certificates.k8s.io ClusterTrustBundle.certificates.k8s.io "
        "FlowSchema.flowcontrol.apiserver.k8s.io PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io "
        "IPAddress.networking.k8s.io IngressClass.networking.k8s.io ServiceCIDR.networking.k8s.io "
        "RuntimeClass.node.k8s.io ClusterRole.rbac.authorization.k8s.io ClusterRoleBinding.rbac.authorization.k8s.io "
        "DeviceClass.resource.k8s.io DeviceTaintRule.resource.k8s.io ResourceSlice.resource.k8s.io "
        "PriorityClass.scheduling.k8s.io CSIDriver.storage.k8s.io CSINode.storage.k8s.io StorageClass.storage.k8s.io "
        "VolumeAttachment.storage.k8s.io VolumeAttributesClass.storage.k8s.io GatewayClass.gateway.networking.k8s.io "
        "ClusterWorkflowTemplate.argoproj.io ClusterAnalysisTemplate.argoproj.io ClusterIssuer.cert-manager.io"
    ).split()
)
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
