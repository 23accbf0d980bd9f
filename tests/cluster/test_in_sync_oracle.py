"""Where `in_sync` says yes, the server is asked whether it would have changed anything: it must not."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from controller_fixtures import open_cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from on_server import Document, applied, completed, unchanged
from sandbox_fixtures import fresh_namespace
from server_objects import many

from reconciler.adapters.kube import KubeCluster
from reconciler.core.compare import in_sync
from reconciler.model.change import Refusal
from reconciler.sandbox.platform import Sandbox

Path = tuple[str | int, ...]
KINDS = ["ConfigMap", "Service", "Deployment", "NetworkPolicy", "HorizontalPodAutoscaler", "Ingress", "Role"]
VALUES = st.sampled_from([None, False, True, 0, 1, "", "x", "TCP", "v1", "Always", [], {}, ["x"], {"a": "b"}])
NEW_NAMES = st.sampled_from(["protocol", "value", "readOnly", "limits", "hostNetwork", "apiVersion", "labels"])
IDENTITY: set[Path] = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}


@pytest.fixture(scope="module")
def server(apiserver: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(apiserver)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_namespace(apiserver: Sandbox) -> str:
    return fresh_namespace(apiserver)


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Each place below the top of a document."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in below:
        yield (*path, name)
        yield from paths(part, (*path, name))


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def moved(data: st.DataObject, document: Document, live: Document) -> Document:
    """The document after one thing that a commit may do to it: also what the server would have done anyway."""
    document = copy.deepcopy(document)
    places = [path for path in paths(document) if path not in IDENTITY]
    verb = data.draw(st.sampled_from(["remove", "set", "add", "reverse", "name what is live"]))
    if verb == "name what is live":
        unnamed = [path for path in paths(live) if path[0] in ("spec", "data", "rules") and path not in places]
        known = [path for path in unnamed if path[:-1] in places and isinstance(path[-1], str)]
        if known:
            path = data.draw(st.sampled_from(known))
            at(document, path[:-1])[path[-1]] = copy.deepcopy(at(live, path))
        return document
    if verb == "add":
        maps = [path for path in places if isinstance(at(document, path), dict)]
        at(document, data.draw(st.sampled_from(maps)))[data.draw(NEW_NAMES)] = copy.deepcopy(data.draw(VALUES))
        return document
    path = data.draw(st.sampled_from(places))
    parent, last = at(document, path[:-1]), path[-1]
    if verb == "remove":
        del parent[last]
    elif verb == "set":
        parent[last] = copy.deepcopy(data.draw(VALUES))
    elif isinstance(parent[last], list):
        parent[last].reverse()
    return document


def test_where_in_sync_says_yes_the_server_would_change_nothing(server: KubeCluster, shared_namespace: str) -> None:
    said = {True: 0, False: 0}

    @settings(max_examples=60, derandomize=True, deadline=None, database=None)
    @given(st.sampled_from([document for document in many() if document["kind"] in KINDS]), st.data())
    def holds(document: Document, data: st.DataObject) -> None:
        wanted = completed(server, copy.deepcopy(document), shared_namespace)
        current = wanted.manifest.document
        (live,) = server.apply([(wanted.resource, current)])
        if isinstance(live, Refusal):  # what an earlier example left is in the way: begin anew
            server.delete([(wanted.resource, wanted.id.namespace, wanted.id.name, "")])
            live = applied(server, wanted)
        for _ in range(2):
            current = moved(data, current, live)
            verdict = in_sync(live, current)
            (foreseen,) = server.apply([(wanted.resource, current)], dry_run=True)
            if verdict:
                assert not isinstance(foreseen, Refusal), foreseen
                assert unchanged(live, foreseen)
            said[verdict] += 1
            if isinstance(foreseen, Refusal):
                return
            live = applied(server, wanted, current)

    holds()
    assert said[True] > 3
    assert said[False] > 20
