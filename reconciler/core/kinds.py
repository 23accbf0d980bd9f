"""The kinds that every Kubernetes serves, in the order in which they are installed.

The order is Helm's InstallOrder (pkg/release/util/kind_sorter.go), which Argo CD's sync_tasks.go copies, with what both
leave to their special cases moved in: definitions first, and what intercepts other requests (webhook configurations,
admission policies, APIServices) last, so that it cannot refuse what its own backend still needs.
"""

from __future__ import annotations

from reconciler.model.identity import GroupKind, group_of

_BEFORE_CUSTOM = (
    ("v1", "Namespace"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("node.k8s.io/v1", "RuntimeClass"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("v1", "ResourceQuota"),
    ("v1", "LimitRange"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "ServiceAccount"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("storage.k8s.io/v1", "CSIDriver"),
    ("v1", "PersistentVolume"),
    ("v1", "PersistentVolumeClaim"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "Service"),
    ("v1", "Endpoints"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("apps/v1", "DaemonSet"),
    ("v1", "Pod"),
    ("v1", "ReplicationController"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "Deployment"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("networking.k8s.io/v1", "Ingress"),
)
_AFTER_CUSTOM = (
    ("apiregistration.k8s.io/v1", "APIService"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
)

BUILT_IN: tuple[tuple[str, str], ...] = _BEFORE_CUSTOM + _AFTER_CUSTOM
"""(`apiVersion`, `kind`): the version is the one that current servers prefer."""

BUILT_IN_GROUPS = frozenset(group_of(api_version) for api_version, _ in BUILT_IN) | {
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "resource.k8s.io",
}
"""The groups whose types are Go structs of the API server, not CustomResourceDefinitions."""

_CUSTOM = len(_BEFORE_CUSTOM)
_RANKS = {GroupKind(group_of(api_version), kind): place for place, (api_version, kind) in enumerate(_BEFORE_CUSTOM)} | {
    GroupKind(group_of(api_version), kind): _CUSTOM + 1 + place
    for place, (api_version, kind) in enumerate(_AFTER_CUSTOM)
}

NAMESPACE = GroupKind("", "Namespace")
DEFINITION = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")


def rank(kind: GroupKind) -> int:
    """The place of a kind in the order of installation; all kinds that are not built in share one."""
    return _RANKS.get(kind, _CUSTOM)
