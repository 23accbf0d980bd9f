"""An Application's objects and what they own, as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.cli.applications import Document, entries
from reconciler.core.applyset import PART_OF, applyset_id, contained_kinds
from reconciler.core.health import assess
from reconciler.core.kinds import rank
from reconciler.model.health import Health, Level
from reconciler.model.identity import GroupKind, ObjectId, identify
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Cluster

CHILDREN = (
    GroupKind("apps", "ReplicaSet"),
    GroupKind("", "Pod"),
    GroupKind("batch", "Job"),
    GroupKind("discovery.k8s.io", "EndpointSlice"),
    GroupKind("argoproj.io", "AnalysisRun"),
    GroupKind("argoproj.io", "Experiment"),
)
"""What controllers make for the objects that people write. ControllerRevisions say nothing to them."""


@dataclass(slots=True)
class Node:
    """One object, its health, and what it owns."""

    id: ObjectId
    health: Health
    children: list[Node] = field(default_factory=list)


def grow(members: Sequence[Document], children: Iterable[Document], now: datetime) -> list[Node]:
    """The members in the order in which they are applied, each with what it owns (by `metadata.ownerReferences`).

    A member that is owned by another one hangs below it. ReplicaSets of earlier revisions that run nothing are left
    out: a Deployment keeps ten of them.
    """
    nodes: dict[str, Node] = {}
    owners: dict[str, list[str]] = {}
    for document in [*members, *children]:
        metadata = document["metadata"]
        uid = metadata["uid"]
        if uid not in nodes and not _left_over(document):
            nodes[uid] = Node(identify(document), assess(document, now))
            owners[uid] = [owner.get("uid", "") for owner in metadata.get("ownerReferences") or ()]
    roots = []
    wanted = {document["metadata"]["uid"] for document in members}
    for uid, node in nodes.items():
        owner = next((nodes[owner] for owner in owners[uid] if owner in nodes), None)
        if owner is not None:
            owner.children.append(node)
        elif uid in wanted:
            roots.append(node)
    return _sorted(roots)


def missing(application: Document, present: Iterable[ObjectId]) -> list[Node]:
    """The objects that the controller misses, as the status tells."""
    there = {str(id) for id in present}
    return [
        Node(_parse(entry["object"]), Health(Level.MISSING, entry.get("message", "")))
        for entry in entries(application, "unhealthy")
        if entry.get("level") == Level.MISSING and entry.get("object", "") not in there
    ]


def collect(cluster: Cluster, application: Document) -> tuple[list[Document], list[Document], list[str]]:
    """(members, what may be owned by them, notes on what could not be read)."""
    metadata = application["metadata"]
    selector = f"{PART_OF}={applyset_id(metadata['name'], metadata.get('namespace', 'default'))}"
    notes: list[str] = []
    members: list[Document] = []
    for kind in sorted(contained_kinds(metadata.get("annotations") or {})):
        members += _list(cluster, kind, "", selector, notes)
    members = [member for member in members if not _copied(member)]
    namespaces = sorted({member["metadata"].get("namespace", "") for member in members} - {""})
    children = [
        child
        for namespace in namespaces
        for kind in CHILDREN
        for child in _list(cluster, kind, namespace, "", notes)
        if child["metadata"].get("ownerReferences")
    ]
    return members, children, notes


def _list(cluster: Cluster, kind: GroupKind, namespace: str, selector: str, notes: list[str]) -> list[Document]:
    """The objects with their `apiVersion` and `kind`, which the items of a list do not always carry."""
    resource = cluster.preferred(kind)
    if resource is None:
        return []
    named = {"apiVersion": resource.api_version, "kind": resource.kind}
    try:
        return [{**named, **item} for item in cluster.listing(resource, namespace, selector)]
    except Terminal as error:
        if error.reason is not Reason.FORBIDDEN:
            raise
        notes.append(error.message)
        return []


def _copied(document: Document) -> bool:
    """A controller copied the label from what it works for (a Service's to its EndpointSlices)."""
    return any(owner.get("controller") for owner in document["metadata"].get("ownerReferences") or ())


def _left_over(document: Document) -> bool:
    if document.get("kind") != "ReplicaSet" or not document["metadata"].get("ownerReferences"):
        return False
    return not document.get("spec", {}).get("replicas", 1) and not document.get("status", {}).get("replicas", 0)


def _sorted(nodes: list[Node]) -> list[Node]:
    for node in nodes:
        _sorted(node.children)
    nodes.sort(key=lambda node: (rank(node.id.group_kind), *node.id))
    return nodes


def _parse(text: str) -> ObjectId:
    """The inverse of `str(ObjectId)`: kind, then namespace and name, or only a name."""
    kind, *rest = text.split("/")
    group_kind = GroupKind.parse(kind)
    return ObjectId(group_kind.group, group_kind.kind, rest[0] if len(rest) > 1 else "", rest[-1] if rest else "")


def as_value(node: Node) -> dict[str, Any]:
    """The node for JSON."""
    return {
        "ref": str(node.id),
        "level": node.health.level.value,
        "message": node.health.message,
        "children": [as_value(child) for child in node.children],
    }
