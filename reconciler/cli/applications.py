"""The documents of our kinds in a cluster, read as they are: one that is broken is shown as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from reconciler.model.change import Resource
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.resource import API_VERSION
from reconciler.model.suggest import nearest
from reconciler.ports import Cluster

Kind = Literal["Application", "Repository", "Promotion", "Hotfix", "ImageFeed", "Notifier"]
Document = dict[str, Any]


def served(cluster: Cluster, kind: Kind) -> Resource:
    """Raises Terminal(UNKNOWN_KIND) where Dispatch is not installed."""
    resource = cluster.resource(API_VERSION, kind)
    if resource is None:
        raise Terminal(
            Reason.UNKNOWN_KIND,
            f"this cluster does not know the kind {kind} of {API_VERSION}: run `dispatch install` first",
        )
    return resource


def read(cluster: Cluster, kind: Kind, namespace: str, name: str) -> Document:
    """Raises Terminal when there is none, naming the nearest there is."""
    resource = served(cluster, kind)
    document = cluster.read(resource, namespace, name)
    if document is None:
        names = [other["metadata"]["name"] for other in cluster.listing(resource, namespace)]
        near = nearest(name, names)
        hint = f"did you mean {near}?" if near else f"it has {', '.join(sorted(names)[:8]) or 'none'}"
        raise Terminal(Reason.PATH_NOT_FOUND, f"namespace {namespace} has no {kind} {name!r}: {hint}")
    return document


def listing(cluster: Cluster, kind: Kind, namespace: str, name: str | None = None) -> list[Document]:
    """One by its name, or all of a namespace, or of all namespaces when that is empty; by namespace and name."""
    if name is not None:
        return [read(cluster, kind, namespace, name)]
    found = cluster.listing(served(cluster, kind), namespace)
    return sorted(found, key=lambda document: (document["metadata"].get("namespace", ""), document["metadata"]["name"]))


def status(document: Document, *path: str) -> Any:
    """A value below `status`, None where nothing is."""
    value: Any = document.get("status")
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def entries(document: Document, field: str) -> list[dict[str, Any]]:
    """The items of a list below `status`."""
    found = status(document, field)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, Sequence) else []


def condition(document: Document, type: str) -> dict[str, Any]:
    """A condition of the status; empty when there is none of the type."""
    return next((item for item in entries(document, "conditions") if item.get("type") == type), {})


def short_revision(revision: str) -> str:
    """`main@0123456789` of `main@sha1:0123456789abcdef...`: enough for people, and for git."""
    ref, _, commit = revision.rpartition("@")
    commit = commit.partition(":")[2] or commit
    return f"{ref}@{commit[:10]}" if ref else commit[:10]


def ready_message(document: Document) -> str:
    """Why the document is not Ready, or what there is to know although it is; empty when all is well."""
    ready = condition(document, "Ready")
    if ready.get("status") == "True" and ready.get("reason") == "ReconciliationSucceeded":
        return ""
    return str(ready.get("message", ""))
