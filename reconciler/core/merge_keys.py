"""Which lists are maps in disguise, and which maps are values in disguise.

The items of the first have a key, and each may belong to somebody else; the second are replaced as a whole. The names
are those of k8s.io/api's markers (`+listType`, `+listMapKey`, `+mapType`), which its OpenAPI repeats as
`x-kubernetes-list-map-keys` and `x-kubernetes-map-type`.
"""

from __future__ import annotations

from typing import Any

_NAME = ("name",)
_PORT_KEYS = (("containerPort", "protocol"), ("port", "protocol"))

_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "containers": (_NAME,),
    "initContainers": (_NAME,),
    "ephemeralContainers": (_NAME,),
    "volumes": (_NAME,),
    "env": (_NAME,),
    "imagePullSecrets": (_NAME,),
    "secrets": (_NAME,),
    "webhooks": (_NAME,),
    "resourceClaims": (_NAME,),
    "schedulingGates": (_NAME,),
    "claims": (_NAME,),
    "matchConditions": (_NAME,),
    "variables": (_NAME,),
    "ports": _PORT_KEYS,
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "ownerReferences": (("uid",),),
    "conditions": (("type",),),
}
"""By the name of the list."""

WHOLE_MAPS = frozenset(
    {"selector", "labelSelector", "podSelector", "namespaceSelector", "objectSelector", "nodeSelector", "scopeSelector"}
    | {"configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef", "secretRef", "roleRef"}
    | {"controllerExpandSecretRef", "controllerPublishSecretRef", "nodeExpandSecretRef", "nodePublishSecretRef"}
    | {"nodeStageSecretRef", "dataSource", "targetRef", "involvedObject", "regarding", "related", "resource"}
    | {"required", "requiredDuringSchedulingIgnoredDuringExecution", "preference", "nodeTopology"}
    | {"matchConstraints", "matchResources", "paramKind", "paramRef", "port"}
)
"""By the name of the map, for built-in kinds: all maps of these names that stand outside atomic lists."""

KEY_DEFAULTS = {"protocol": "TCP"}
"""Keys that the API server fills in: container and Service ports (k8s.io/api core/v1, `+default="TCP"`)."""

_SETS = frozenset({"finalizers"})

GRANULAR = frozenset(_KEYS) | _SETS
"""Lists whose items are owned one by one; an empty one leaves no trace in managedFields."""


def merge_key(name: str, items: list[Any]) -> tuple[str, ...] | None:
    """The key fields of the list `name`, sorted; None for a list that is replaced as a whole.

    The name alone could mean another list (a NetworkPolicy's `ports`): every item must have the key, and no two the
    same.
    """
    for keys in _KEYS.get(name, ()):
        if all(isinstance(item, dict) and keys[0] in item for item in items):
            found = {item_key(item, keys) for item in items}
            return keys if len(found) == len(items) and None not in found else None
    return None


def item_key(item: Any, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """The values of an item's key fields; None when one is missing or is no plain value."""
    if not isinstance(item, dict):
        return None
    values = tuple([item.get(name, KEY_DEFAULTS.get(name)) for name in names])
    for value in values:
        if value is None or isinstance(value, dict | list):
            return None
    return values


def is_set(name: str) -> bool:
    """True for lists of values whose members are owned one by one."""
    return name in _SETS
