"""What Git wants is completed without guessing, and refused with file and line."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reconciler.core.applyset import PART_OF
from reconciler.core.desired import Wanted, complete
from reconciler.model.change import Resource
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Reason, Terminal

SERVED = {
    ("v1", "ConfigMap"): Resource("v1", "ConfigMap", "configmaps", True),
    ("v1", "Secret"): Resource("v1", "Secret", "secrets", True),
    ("v1", "Namespace"): Resource("v1", "Namespace", "namespaces", False),
    ("apps/v1", "Deployment"): Resource("apps/v1", "Deployment", "deployments", True),
    ("networking.k8s.io/v1", "Ingress"): Resource("networking.k8s.io/v1", "Ingress", "ingresses", True),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): Resource(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False
    ),
}
SET = "applyset-x-v1"


def served(api_version: str, kind: str) -> Resource | None:
    return SERVED.get((api_version, kind))


def make(api_version: str, kind: str, metadata: dict[str, Any], line: int = 1, **rest: Any) -> Manifest:
    return Manifest({"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}, Origin("app.yaml", line))


def config(name: str = "c", line: int = 1, **metadata: Any) -> Manifest:
    return make("v1", "ConfigMap", {"name": name, **metadata}, line)


def one(manifest: Manifest) -> Wanted:
    (wanted,) = complete([manifest], served, "team-a", SET)
    return wanted


def refusal(*manifests: Manifest) -> Terminal:
    with pytest.raises(Terminal) as refused:
        complete(manifests, served, "team-a", SET)
    return refused.value


def backup_definition(scope: str = "Cluster", *versions: dict[str, Any]) -> Manifest:
    spec = {
        "group": "stash.example",
        "scope": scope,
        "names": {"kind": "Backup", "plural": "backupses"},
        "versions": list(versions) or [{"name": "v1", "served": True}, {"name": "v0", "served": False}],
    }
    return make("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"name": "backupses.stash.example"}, spec=spec)


def test_an_object_gets_the_namespace_of_the_application_and_the_mark_of_the_set() -> None:
    wanted = one(config(labels={"app": "web"}))
    assert wanted.id == ObjectId("", "ConfigMap", "team-a", "c")
    metadata = wanted.manifest.document["metadata"]
    assert metadata["namespace"] == "team-a"
    assert metadata["labels"] == {"app": "web", PART_OF: SET}


def test_a_namespace_that_is_named_stays() -> None:
    assert one(config(namespace="other")).id.namespace == "other"


def test_a_cluster_scoped_object_loses_its_namespace() -> None:
    wanted = one(make("v1", "Namespace", {"name": "n", "namespace": "nonsense"}))
    assert wanted.id == ObjectId("", "Namespace", "", "n")
    assert "namespace" not in wanted.manifest.document["metadata"]


def test_the_document_given_is_not_changed() -> None:
    manifest = make("v1", "Secret", {"name": "s", "labels": {"a": "b"}}, stringData={"k": "v"}, status={})
    before = copy.deepcopy(manifest.document)
    one(manifest)
    assert manifest.document == before


def test_what_only_a_server_writes_is_dropped() -> None:
    exported = config(
        creationTimestamp=None,
        uid="1",
        resourceVersion="2",
        generation=3,
        managedFields=[{}],
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "x"},
    )
    exported.document["status"] = {"ready": True}
    document = one(exported).manifest.document
    assert document == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "c",
            "namespace": "team-a",
            "labels": {PART_OF: SET},
            "annotations": {"mine": "x"},
        },
    }


def test_the_digest_follows_the_content_and_not_the_order_of_keys() -> None:
    first = one(make("v1", "ConfigMap", {"name": "c"}, data={"a": "1", "b": "2"}))
    second = one(make("v1", "ConfigMap", {"name": "c"}, data={"b": "2", "a": "1"}, line=9))
    third = one(make("v1", "ConfigMap", {"name": "c"}, data={"a": "1", "b": "3"}))
    assert first.digest == second.digest != third.digest


def test_string_data_becomes_the_data_that_the_server_stores() -> None:
    secret = make("v1", "Secret", {"name": "s"}, data={"a": "eA==", "b": "eQ=="}, stringData={"b": "z", "c": None})
    document = one(secret).manifest.document
    assert document["data"] == {"a": "eA==", "b": "eg==", "c": ""}
    assert "stringData" not in document


def test_string_data_that_is_no_text_is_refused_without_showing_it() -> None:
    error = refusal(make("v1", "Secret", {"name": "s"}, stringData={"pin": 12345}))
    assert "stringData.pin" in error.message
    assert "12345" not in error.message


def test_a_label_of_another_set_is_refused() -> None:
    error = refusal(config(labels={PART_OF: "applyset-theirs-v1"}, line=4))
    assert error.reason is Reason.INVALID_MANIFEST
    assert "app.yaml:4" in error.message
    assert "applyset-theirs-v1" in error.message


def test_the_same_object_twice_names_both_places() -> None:
    error = refusal(config(line=3), config(line=20, namespace="team-a"))
    assert error.reason is Reason.DUPLICATE_OBJECT
    assert "app.yaml:3" in error.message
    assert "app.yaml:20" in error.message
    assert "ConfigMap/team-a/c" in error.message


def test_one_name_in_two_namespaces_is_two_objects() -> None:
    assert len(complete([config(), config(namespace="b")], served, "team-a", SET)) == 2


def test_a_kind_of_an_old_version_is_told_the_new_one() -> None:
    error = refusal(make("extensions/v1beta1", "Ingress", {"name": "i"}, line=12))
    assert error.reason is Reason.UNKNOWN_KIND
    assert "app.yaml:12" in error.message
    assert "apiVersion: networking.k8s.io/v1" in error.message


def test_a_misspelt_kind_is_told_the_nearest() -> None:
    assert "kind: Deployment (apiVersion: apps/v1)" in refusal(make("apps/v1", "Deploymnet", {"name": "d"})).message


def test_an_unknown_custom_kind_asks_for_its_definition() -> None:
    error = refusal(make("stash.example/v1", "Backup", {"name": "b"}))
    assert "CustomResourceDefinition" in error.message
    assert "dependsOn" in error.message


@pytest.mark.parametrize(("scope", "namespace"), [("Cluster", ""), ("Namespaced", "team-a")])
def test_a_kind_defined_in_the_same_set_is_known_by_its_definition(scope: str, namespace: str) -> None:
    backup = make("stash.example/v1", "Backup", {"name": "b"})
    wanted, _ = complete([backup, backup_definition(scope)], served, "team-a", SET)
    assert wanted.resource == Resource("stash.example/v1", "Backup", "backupses", scope == "Namespaced")
    assert wanted.id.namespace == namespace


def test_a_version_that_the_definition_does_not_serve_is_told_the_one_it_does() -> None:
    error = refusal(make("stash.example/v0", "Backup", {"name": "b"}), backup_definition())
    assert "Did you mean apiVersion: stash.example/v1?" in error.message


def test_a_promised_kind_is_taken_before_anybody_serves_it() -> None:
    backup = make("stash.example/v1", "Backup", {"name": "b"})
    (wanted,) = complete([backup], served, "team-a", SET, promised={GroupKind("stash.example", "Backup")})
    assert wanted.resource.namespaced


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "ConfigMap", "metadata": {"name": "c"}}, "has no apiVersion"),
        ({"apiVersion": "v1", "metadata": {"name": "c"}}, "has no kind"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "has no metadata"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": None}, "has no metadata"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, "has no metadata.name"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": 5}}, "metadata.name is 5"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "c-"}}, "generateName"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "labels": ["x"]}}, "metadata.labels"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "annotations": "x"}}, "annotations"),
    ],
)
def test_a_document_that_is_no_object_is_refused_with_its_place(document: dict[str, Any], said: str) -> None:
    error = refusal(Manifest(document, Origin("bad.yaml", 3)))
    assert error.reason is Reason.INVALID_MANIFEST
    assert error.message.startswith("bad.yaml:3: ")
    assert said in error.message


def test_empty_labels_and_annotations_are_taken() -> None:
    assert one(config(labels=None, annotations=None)).manifest.document["metadata"]["labels"] == {PART_OF: SET}
