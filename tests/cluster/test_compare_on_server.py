"""The verdict that saves a request is held against what the server itself says."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from controller_fixtures import open_cluster
from on_server import Document, applied, completed, unchanged
from server_objects import custom, many, one
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.compare import in_sync
from reconciler.core.desired import Wanted
from reconciler.core.drift import find
from reconciler.model.change import Refusal
from reconciler.sandbox.platform import Sandbox


@pytest.fixture(scope="module")
def server(apiserver: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(apiserver)
    yield opened
    opened.close()


@pytest.mark.parametrize("place", range(len(many())), ids=[f"{d['kind']}-{d['metadata']['name']}" for d in many()])
def test_what_was_applied_is_in_sync_and_applying_it_again_writes_nothing(
    place: int, server: KubeCluster, namespace: str
) -> None:
    wanted = completed(server, many()[place], namespace)
    first = applied(server, wanted)
    assert in_sync(first, wanted.manifest.document)
    assert find(wanted, first, None) == []
    assert unchanged(first, applied(server, wanted))


def test_lists_of_a_custom_kind_are_known_by_their_owners(server: KubeCluster, namespace: str) -> None:
    definition, thing = custom()
    crd = completed(server, definition, namespace)
    assert in_sync(applied(server, crd), crd.manifest.document)
    eventually(lambda: server.resource("compare.example/v1", "Thing"))
    wanted = completed(server, thing, namespace)
    eventually(lambda: _served(server, wanted))
    first = applied(server, wanted)
    assert in_sync(first, wanted.manifest.document)
    for part, value in (
        ("whole", ["a", "b"]),
        ("members", ["x", "y"]),
        ("parts", [{"id": "a"}, {"id": "b", "size": 1}]),
    ):
        moved = copy.deepcopy(wanted.manifest.document)
        moved["spec"][part] = value
        assert not in_sync(first, moved)
        assert not unchanged(first, applied(server, wanted, moved)), part
        first = applied(server, wanted)


def _served(server: KubeCluster, wanted: Wanted) -> Document | None:
    (answer,) = server.apply([(wanted.resource, wanted.manifest.document)])
    return None if isinstance(answer, Refusal) else answer


def test_a_quantity_that_the_server_rewrites_is_settled_by_the_dry_run(server: KubeCluster, namespace: str) -> None:
    document = one("Deployment")
    document["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "0.5"}}
    wanted = completed(server, document, namespace)
    first = applied(server, wanted)
    assert not in_sync(first, wanted.manifest.document)
    assert find(wanted, first, applied(server, wanted, dry_run=True)) == []


MOVES: list[tuple[str, str, Any]] = [
    ("a pointer's null becomes false", "spec.template.spec.automountServiceAccountToken", False),
    ("a dropped false leaves", "spec.template.spec.hostNetwork", None),
    ("an empty list is filled", "spec.template.spec.tolerations", [{"key": "a", "operator": "Exists"}]),
    ("an empty map is filled", "spec.template.spec.volumes.0.emptyDir", {"medium": "Memory"}),
    ("a default is named", "spec.revisionHistoryLimit", 10),
    ("a value changes", "spec.template.spec.containers.0.image", "nginx:2"),
    ("a whole list changes", "spec.template.spec.containers.0.args", ["--a"]),
    ("a port's protocol is named", "spec.template.spec.containers.0.ports.0.protocol", "TCP"),
]


@pytest.mark.parametrize(("path", "value"), [move[1:] for move in MOVES], ids=[move[0] for move in MOVES])
def test_whatever_moves_in_git_is_written(path: str, value: Any, server: KubeCluster, namespace: str) -> None:
    wanted = completed(server, one("Deployment"), namespace)
    first = applied(server, wanted)
    moved = copy.deepcopy(wanted.manifest.document)
    *above, last = path.split(".")
    place: Any = moved
    for step in above:
        place = place[int(step) if step.isdigit() else step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert not in_sync(first, moved)
    assert not unchanged(first, applied(server, wanted, moved))
