"""What somebody does to a live object is named, and taken back or left alone, on a real API server."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from controller_fixtures import open_cluster
from on_server import Document, answered, applied, completed, content, drifts, live
from server_objects import one
from somebody import Somebody

from reconciler.adapters.kube import KubeCluster
from reconciler.core.compare import in_sync
from reconciler.core.drift import removals, respect
from reconciler.core.leftovers import owning_leftovers
from reconciler.model.application import DriftIgnore
from reconciler.model.change import Refusal
from reconciler.model.drift import DriftClass
from reconciler.sandbox.platform import Sandbox

WEB = "/spec/template/spec/containers/[name=web]"


@pytest.fixture(scope="module")
def server(apiserver: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(apiserver)
    yield opened
    opened.close()


@pytest.fixture
def somebody(apiserver: Sandbox) -> Somebody:
    return Somebody(apiserver)


CHANGED, EXTRA, MISSING = DriftClass.CHANGED, DriftClass.EXTRA, DriftClass.MISSING
EDITS: list[tuple[str, str, Document, DriftClass, str]] = [
    ("Deployment", "a number changes", {"spec": {"minReadySeconds": 5}}, CHANGED, "/spec/minReadySeconds"),
    ("Deployment", "a dropped false changes", {"spec": {"paused": True}}, CHANGED, "/spec/paused"),
    ("Deployment", "a field comes", {"spec": {"revisionHistoryLimit": 3}}, EXTRA, "/spec/revisionHistoryLimit"),
    ("Deployment", "a label goes", {"metadata": {"labels": {"app": None}}}, MISSING, "/metadata/labels/app"),
    ("Service", "a whole map changes", {"spec": {"selector": {"app": "x"}}}, CHANGED, "/spec/selector"),
    ("ConfigMap", "a key comes", {"data": {"new": "x"}}, EXTRA, "/data/new"),
    ("ConfigMap", "a key goes", {"data": {"a": None}}, MISSING, "/data/a"),
    ("Secret", "a value changes", {"data": {"kept": "eQ=="}}, CHANGED, "/data/kept"),
    ("Ingress", "a whole list goes", {"spec": {"tls": []}}, MISSING, "/spec/tls"),
    ("HorizontalPodAutoscaler", "a number changes", {"spec": {"maxReplicas": 9}}, CHANGED, "/spec/maxReplicas"),
    ("Role", "a whole list goes", {"rules": []}, CHANGED, "/rules"),
    ("NetworkPolicy", "a whole list changes", {"spec": {"ingress": [{}]}}, CHANGED, "/spec/ingress"),
    (
        "ServiceAccount",
        "a flag changes",
        {"automountServiceAccountToken": True},
        CHANGED,
        "/automountServiceAccountToken",
    ),
]


@pytest.mark.parametrize(
    ("kind", "patch", "drift", "path"), [(e[0], *e[2:]) for e in EDITS], ids=[f"{e[0]}: {e[1]}" for e in EDITS]
)
def test_an_edit_is_named_with_its_author_and_can_be_taken_back(
    kind: str,
    patch: Document,
    drift: DriftClass,
    path: str,
    server: KubeCluster,
    somebody: Somebody,
    namespace: str,
) -> None:
    wanted = completed(server, one(kind), namespace)
    before = applied(server, wanted)
    somebody.edits(wanted.resource, namespace, wanted.id.name, patch)
    found = drifts(server, wanted)
    author = "" if drift is MISSING else "kubectl-edit"
    assert [(each.kind, each.path, each.manager) for each in found] == [(drift, path, author)]
    assert "eA==" not in str(found) and "eQ==" not in str(found)
    if removal := removals(found, live(server, wanted)):
        answered(server.patch(wanted.resource, namespace, wanted.id.name, removal))
    after = applied(server, wanted)
    assert in_sync(after, wanted.manifest.document)
    assert content(after) == content(before)
    assert drifts(server, wanted) == []


def test_a_container_that_somebody_added_is_taken_out_again(
    server: KubeCluster, somebody: Somebody, namespace: str
) -> None:
    wanted = completed(server, one("Deployment"), namespace)
    before = applied(server, wanted)
    containers = [*before["spec"]["template"]["spec"]["containers"], {"name": "added", "image": "busybox"}]
    somebody.edits(
        wanted.resource, namespace, "deployment", {"spec": {"template": {"spec": {"containers": containers}}}}
    )
    (drift,) = drifts(server, wanted)
    assert (drift.kind, drift.path) == (EXTRA, "/spec/template/spec/containers/[name=added]")
    answered(server.patch(wanted.resource, namespace, "deployment", removals([drift], live(server, wanted))))
    assert content(live(server, wanted)) == content(before)


def test_a_removal_fails_when_somebody_was_faster(server: KubeCluster, somebody: Somebody, namespace: str) -> None:
    wanted = completed(server, one("ConfigMap"), namespace)
    applied(server, wanted)
    somebody.edits(wanted.resource, namespace, "config", {"data": {"new": "x"}})
    now = live(server, wanted)
    patch = removals(drifts(server, wanted), now)
    somebody.edits(wanted.resource, namespace, "config", {"data": {"new": "y"}})
    assert isinstance(server.patch(wanted.resource, namespace, "config", patch), Refusal)
    assert live(server, wanted)["data"]["new"] == "y"


@pytest.mark.parametrize("text", ["<a href='x'>&</a>", "Grüße", "🎉", "one\u2028two\x85", "\t\n\x01\x7f\ufeff", '"\\/'])
def test_a_removal_fits_whatever_is_written_there(
    server: KubeCluster, somebody: Somebody, namespace: str, text: str
) -> None:
    wanted = completed(server, one("ConfigMap"), namespace)
    applied(server, wanted)
    somebody.edits(wanted.resource, namespace, "config", {"data": {"new": text}})
    patch = removals(drifts(server, wanted), live(server, wanted))
    answer = server.patch(wanted.resource, namespace, "config", patch)
    assert not isinstance(answer, Refusal), answer
    assert "new" not in answer["data"]


def test_scaling_by_an_autoscaler_is_left_alone_and_by_hand_is_not(
    server: KubeCluster, somebody: Somebody, namespace: str
) -> None:
    wanted = completed(server, one("Deployment"), namespace)
    applied(server, wanted)
    patch = {"spec": {"replicas": 4}}
    somebody.edits(wanted.resource, namespace, "deployment/scale", patch, manager="kube-controller-manager")
    assert drifts(server, wanted) == []
    now = live(server, wanted)
    document = respect(wanted.manifest.document, now)
    assert in_sync(now, document)
    assert applied(server, wanted, document)["spec"]["replicas"] == 4
    somebody.edits(wanted.resource, namespace, "deployment/scale", {"spec": {"replicas": 7}}, manager="kubectl")
    (drift,) = drifts(server, wanted)
    assert (drift.path, drift.wanted, drift.live, drift.manager) == ("/spec/replicas", 0, 7, "kubectl")


def test_an_ignored_field_keeps_the_value_that_somebody_gave_it(
    server: KubeCluster, somebody: Somebody, namespace: str
) -> None:
    wanted = completed(server, one("Deployment"), namespace)
    applied(server, wanted)
    ignore = [DriftIgnore(kind="Deployment", fields=("/spec/minReadySeconds",))]
    somebody.edits(wanted.resource, namespace, "deployment", {"spec": {"minReadySeconds": 9}}, manager="tuner")
    assert drifts(server, wanted, ignore) == []
    document = respect(wanted.manifest.document, live(server, wanted), ignore)
    after = applied(server, wanted, document)
    assert after["spec"]["minReadySeconds"] == 9
    assert in_sync(after, respect(wanted.manifest.document, after, ignore))


def test_an_ignored_field_that_is_ours_alone_is_not_deleted(server: KubeCluster, namespace: str) -> None:
    wanted = completed(server, one("Deployment"), namespace)
    first = applied(server, wanted)
    ignore = [DriftIgnore(fields=(f"{WEB}/args",))]
    moved = copy.deepcopy(wanted.manifest.document)
    del moved["spec"]["template"]["spec"]["containers"][0]["args"]
    after = applied(server, wanted, respect(moved, first, ignore))
    assert after["spec"]["template"]["spec"]["containers"][0]["args"] == ["--a", "--b"]


def test_the_pod_hash_of_argo_rollouts_survives_an_apply(
    server: KubeCluster, somebody: Somebody, namespace: str
) -> None:
    wanted = completed(server, one("Service"), namespace)
    applied(server, wanted)
    patch = {"spec": {"selector": {"rollouts-pod-template-hash": "abc"}}}
    somebody.edits(wanted.resource, namespace, "service", patch, manager="rollouts-controller")
    assert drifts(server, wanted) == []
    now = live(server, wanted)
    document = respect(wanted.manifest.document, now)
    assert in_sync(now, document)
    after = applied(server, wanted, document)
    assert after["spec"]["selector"] == {"app": "web", "rollouts-pod-template-hash": "abc"}


@pytest.mark.parametrize(
    ("kind", "field", "strategy"),
    [("Deployment", "strategy", {"type": "Recreate"}), ("StatefulSet", "updateStrategy", {"type": "OnDelete"})],
)
def test_a_default_that_stands_in_the_way_is_given_up(
    kind: str, field: str, strategy: Document, server: KubeCluster, namespace: str
) -> None:
    wanted = completed(server, one(kind), namespace)
    before = applied(server, wanted)
    moved = copy.deepcopy(wanted.manifest.document)
    moved["spec"][field] = strategy
    (refusal,) = server.apply([(wanted.resource, moved)])
    assert isinstance(refusal, Refusal)
    owning = owning_leftovers(moved, before, refusal)
    assert owning is not None
    owned = applied(server, wanted, owning)
    assert content(owned) == content(before)
    assert owned["metadata"]["generation"] == before["metadata"]["generation"]
    assert applied(server, wanted, moved)["spec"][field] == strategy


def test_a_refusal_of_what_git_names_has_nothing_to_give_up(server: KubeCluster, namespace: str) -> None:
    wanted = completed(server, one("Deployment"), namespace)
    before = applied(server, wanted)
    moved = copy.deepcopy(wanted.manifest.document)
    moved["spec"]["replicas"] = -1
    (refusal,) = server.apply([(wanted.resource, moved)])
    assert isinstance(refusal, Refusal)
    assert owning_leftovers(moved, before, refusal) is None
