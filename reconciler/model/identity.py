"""Which object is meant: group, kind, namespace and name, without the version (one object is served under many)."""

from __future__ import annotations

from typing import Any, NamedTuple


class GroupKind(NamedTuple):
    """A type of object, as RBAC and ApplySets name it. The core group is the empty string."""

    group: str
    kind: str

    def __str__(self) -> str:
        """`Deployment.apps`, the form of `applyset.kubernetes.io/contains-group-kinds` (KEP-3659)."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @classmethod
    def parse(cls, text: str) -> GroupKind:
        """The inverse of `str()`: `Deployment.apps` or `ConfigMap`."""
        kind, _, group = text.partition(".")
        return cls(group, kind)


class ObjectId(NamedTuple):
    """One object of a cluster. `namespace` is empty for a cluster-scoped object."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        """`Deployment.apps/staging/web`: kind, group, namespace, name; the parts that are empty are left out."""
        return "/".join(part for part in (str(self.group_kind), self.namespace, self.name) if part)


def group_of(api_version: str) -> str:
    """The group of an `apiVersion`: `apps` of `apps/v1`, empty of `v1`."""
    group, slash, _ = api_version.partition("/")
    return group if slash else ""


def identify(document: dict[str, Any], namespace: str | None = None) -> ObjectId:
    """The identity of an object read from a manifest or from the server.

    `namespace` replaces the namespace that the object carries; pass "" for a cluster-scoped one.
    """
    metadata = document.get("metadata") or {}
    return ObjectId(
        group=group_of(document.get("apiVersion", "")),
        kind=document.get("kind", ""),
        namespace=metadata.get("namespace", "") if namespace is None else namespace,
        name=metadata.get("name", ""),
    )
