"""An Application's Rollouts in a cluster, and what stands around them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.cli.applications import Document, entries, read
from reconciler.cli.rollout.picture import Scene
from reconciler.cli.rollout.versions import HASH
from reconciler.core.applyset import PART_OF, additional_namespaces, applyset_id
from reconciler.core.progressive.template import DEPLOYMENT, ROLLOUT, workload_of
from reconciler.model.identity import GroupKind, ObjectId, identify
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Cluster

AROUND = (GroupKind("apps", "ReplicaSet"), GroupKind("", "Pod"), GroupKind("argoproj.io", "AnalysisRun"))
"""Each carries the label HASH where Argo Rollouts made it, or what made it."""
WALKED = (ROLLOUT, DEPLOYMENT)
"""A Rollout, and what it takes its pod template from."""


def scene(cluster: Cluster, namespace: str, name: str) -> Scene:
    """All of one Application, read once. Raises Terminal where there is no such Application, or it may not be read."""
    application = read(cluster, "Application", namespace, name)
    found = rollouts(cluster, application)
    notes: list[str] = []
    workloads: dict[ObjectId, Document] = {}
    for each in found:
        wanted = workload_of(each, each["metadata"].get("namespace", ""))
        document = _one(cluster, wanted, notes) if wanted is not None else None
        if wanted is not None and document is not None:
            workloads[wanted] = document
    spaces = sorted({each["metadata"].get("namespace", "") for each in found})
    around = [each for kind in AROUND for space in spaces for each in _list(cluster, kind, space, HASH, notes)]
    return Scene(application, found, workloads, around, tuple(dict.fromkeys(notes)))


def rollouts(cluster: Cluster, application: Document) -> list[Document]:
    """By the mark of membership, and those that the status names: one may be read where the list may not.

    Raises Terminal(FORBIDDEN) where nothing can be read.
    """
    notes: list[str] = []
    found: dict[ObjectId, Document] = {}
    for space in namespaces(application):
        for each in _list(cluster, ROLLOUT, space, selector(application), notes):
            found[identify(each)] = each
    for id in named(application):
        if id not in found and (document := _one(cluster, id, notes)) is not None:
            found[id] = document
    if not found and notes:
        raise Terminal(Reason.FORBIDDEN, notes[0])
    return [found[id] for id in sorted(found)]


def namespaces(application: Document) -> list[str]:
    """Where its objects may be."""
    metadata = application["metadata"]
    destination = (application.get("spec") or {}).get("destination") or {}
    own = destination.get("namespace") or metadata.get("namespace", "default")
    others = additional_namespaces(metadata.get("annotations") or {})
    return sorted({own, *others, *(id.namespace for id in named(application))})


def named(application: Document) -> list[ObjectId]:
    """The Rollouts that the status names."""
    found = []
    for entry in entries(application, "rollouts"):
        _, _, place = str(entry.get("object", "")).partition("/")
        space, slash, name = place.partition("/")
        if slash:
            found.append(ObjectId(*ROLLOUT, space, name))
    return found


def selector(application: Document) -> str:
    """What its objects carry."""
    metadata = application["metadata"]
    return f"{PART_OF}={applyset_id(metadata['name'], metadata.get('namespace', 'default'))}"


def _one(cluster: Cluster, id: ObjectId, notes: list[str]) -> Document | None:
    resource = cluster.preferred(id.group_kind)
    try:
        found = cluster.read(resource, id.namespace, id.name) if resource is not None else None
    except Terminal as error:
        notes.append(_denied(error))
        return None
    return {"apiVersion": resource.api_version, "kind": resource.kind, **found} if found and resource else None


def _list(cluster: Cluster, kind: GroupKind, namespace: str, selector: str, notes: list[str]) -> Iterator[Document]:
    resource = cluster.preferred(kind)
    if resource is None:
        return
    try:
        for each in cluster.listing(resource, namespace, selector):
            yield {"apiVersion": resource.api_version, "kind": resource.kind, **each}
    except Terminal as error:
        notes.append(_denied(error))


def _denied(error: Terminal) -> str:
    if error.reason is not Reason.FORBIDDEN:
        raise error
    return error.message
