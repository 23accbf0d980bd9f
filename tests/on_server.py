"""One object on a real API server, through Dispatch's own adapter: what decisions are held against."""

from __future__ import annotations

import json
from typing import Any

from reconciler.adapters.kube import KubeCluster
from reconciler.core.desired import Wanted, complete
from reconciler.core.drift import find, respect
from reconciler.model.application import DriftIgnore
from reconciler.model.change import Answer, Refusal
from reconciler.model.drift import Drift
from reconciler.model.manifest import Manifest, Origin

Document = dict[str, Any]


def completed(server: KubeCluster, document: Document, namespace: str) -> Wanted:
    """The object as the members of one ApplySet are sent."""
    manifest = Manifest(document, Origin("objects.yaml", 1))
    (wanted,) = complete([manifest], server.resource, namespace, "applyset-compare-v1")
    return wanted


def answered(answer: Answer) -> Document:
    assert not isinstance(answer, Refusal), answer
    return answer


def applied(server: KubeCluster, wanted: Wanted, document: Document | None = None, dry_run: bool = False) -> Document:
    """The server's answer to an apply of the object, or of another document for it."""
    sent = wanted.manifest.document if document is None else document
    (answer,) = server.apply([(wanted.resource, sent)], dry_run=dry_run)
    return answered(answer)


def live(server: KubeCluster, wanted: Wanted) -> Document:
    found = server.read(wanted.resource, wanted.id.namespace, wanted.id.name)
    assert found is not None
    return found


def drifts(server: KubeCluster, wanted: Wanted, ignore: list[DriftIgnore] | None = None) -> list[Drift]:
    """What is found with a dry-run's help; and the same must be found without."""
    now = live(server, wanted)
    document = respect(wanted.manifest.document, now, ignore or [])
    found = find(wanted, now, applied(server, wanted, document, dry_run=True), ignore or [])
    assert find(wanted, now, None, ignore or []) == found
    return found


def unchanged(before: Document, after: Document) -> bool:
    """True when the server changed nothing, ownership included. (The second apply of a PersistentVolumeClaim raises
    its resourceVersion and nothing else.)"""
    return _unversioned(before) == _unversioned(after)


def _unversioned(document: Document) -> Document:
    metadata = {name: value for name, value in document["metadata"].items() if name != "resourceVersion"}
    return {**document, "metadata": metadata}


def content(document: Document) -> str:
    """All but metadata and status, to be compared."""
    return json.dumps({name: value for name, value in document.items() if name not in ("metadata", "status")})
