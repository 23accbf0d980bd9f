"""What the API server makes of built-in kinds without being told: values it drops and values it fills in.

Everything here is true of the Go types in k8s.io/api and their `defaults.go`, so it is asked only for built-in groups.
A line that is missing costs one dry-run; a line that is wrong would hide a change: when in doubt, leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ZERO_FALSE = frozenset(
    {"hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "paused", "publishNotReadyAddresses"}
)
_ZERO_NUMBER = frozenset({"minReadySeconds", "initialDelaySeconds"})
_ZERO_MAP = frozenset(
    {"labels", "annotations", "nodeSelector", "matchLabels", "data", "binaryData", "limits", "requests"}
)
_NOT_LISTS = _ZERO_FALSE | _ZERO_NUMBER | _ZERO_MAP


def is_dropped(name: str, value: Any) -> bool:
    """True when the server does not keep this value of a field: an empty list, or the zero of a field that is no
    pointer and has `omitempty`. A pointer's zero (`automountServiceAccountToken: false`) is kept and means something.
    """
    if isinstance(value, list):
        return not value and name not in _NOT_LISTS
    if value is False:
        return name in _ZERO_FALSE
    if isinstance(value, dict):
        return not value and name in _ZERO_MAP
    if isinstance(value, int):
        return value == 0 and name in _ZERO_NUMBER
    return value == "" and name == "value"


_IN_ATOMIC: Mapping[tuple[str, str], tuple[Any, ...]] = {
    ("fieldRef", "apiVersion"): ("v1",),
    ("resourceFieldRef", "divisor"): ("0",),
    ("ports", "protocol"): ("TCP",),
    ("volumeClaimTemplates", "apiVersion"): ("v1",),
    ("volumeClaimTemplates", "kind"): ("PersistentVolumeClaim",),
    ("volumeClaimTemplates", "status"): ({"phase": "Pending"},),
    ("spec", "volumeMode"): ("Filesystem",),
    ("rules", "scope"): ("*",),
    ("serviceAccountToken", "expirationSeconds"): (3600,),
    ("roleRef", "apiGroup"): ("rbac.authorization.k8s.io",),
    ("subjects", "apiGroup"): ("rbac.authorization.k8s.io",),
    ("onPodConditions", "status"): ("True",),
    ("endpoints", "conditions"): ({},),
}


def fills_in_atomic(parent: str, name: str, value: Any) -> bool:
    """True when the server itself puts this value into an atomic list or map; `parent` names what it stands in."""
    return value in _IN_ATOMIC.get((parent, name), ())


_FILLED: Mapping[str, tuple[Any, ...]] = {
    # workloads
    "progressDeadlineSeconds": (600,),
    "revisionHistoryLimit": (10,),
    "strategy": ({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},),
    "rollingUpdate": ({"maxSurge": "25%", "maxUnavailable": "25%"}, {"partition": 0}),
    "maxSurge": ("25%", 0),
    "maxUnavailable": ("25%", 1),
    "partition": (0,),
    "podManagementPolicy": ("OrderedReady",),
    "updateStrategy": ({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},),
    "persistentVolumeClaimRetentionPolicy": ({"whenDeleted": "Retain", "whenScaled": "Retain"},),
    "replicas": (1,),
    "backoffLimit": (6,),
    "completions": (1,),
    "parallelism": (1,),
    "completionMode": ("NonIndexed",),
    "manualSelector": (False,),
    "suspend": (False,),
    "podReplacementPolicy": ("TerminatingOrFailed",),
    "concurrencyPolicy": ("Allow",),
    "successfulJobsHistoryLimit": (3,),
    "failedJobsHistoryLimit": (1,),
    # pods
    "dnsPolicy": ("ClusterFirst",),
    "restartPolicy": ("Always",),
    "schedulerName": ("default-scheduler",),
    "securityContext": ({},),
    "terminationGracePeriodSeconds": (30,),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "imagePullPolicy": ("Always", "IfNotPresent"),
    "resources": ({},),
    "protocol": ("TCP",),
    "defaultMode": (420,),
    "failureThreshold": (3,),
    "successThreshold": (1,),
    "periodSeconds": (10,),
    "timeoutSeconds": (1, 10),
    "scheme": ("HTTP",),
    "enableServiceLinks": (True,),
    # services, storage, webhooks, autoscalers
    "type": ("RollingUpdate", "ClusterIP", "Opaque"),
    "sessionAffinity": ("None",),
    "internalTrafficPolicy": ("Cluster",),
    "externalTrafficPolicy": ("Cluster",),
    "allocateLoadBalancerNodePorts": (True,),
    "volumeMode": ("Filesystem",),
    "reclaimPolicy": ("Delete",),
    "volumeBindingMode": ("Immediate",),
    "matchPolicy": ("Equivalent",),
    "namespaceSelector": ({},),
    "objectSelector": ({},),
    "policyTypes": (["Ingress"], ["Ingress", "Egress"]),
}
_ALLOCATED = frozenset(
    {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "nodePort", "healthCheckNodePort", "volumeName"}
    | {"nodeName", "targetPort", "serviceAccount"}
)


def is_filled(name: str, value: Any) -> bool:
    """True for a value that the server fills in, or an address it gives out, where nothing was named: taking the field
    out would only make the server put it back.
    """
    return name in _ALLOCATED or value in _FILLED.get(name, ())
