"""What comes first, and what goes last."""

from __future__ import annotations

import pytest

from reconciler.core import order
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Reason, Terminal

API_VERSIONS = {
    "Namespace": "v1",
    "ConfigMap": "v1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "Deployment": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "APIService": "apiregistration.k8s.io/v1",
    "Backup": "stash.example/v1",
}


def make(kind: str, name: str, namespace: str = "", **annotations: str) -> Manifest:
    metadata: dict[str, object] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if annotations:
        metadata["annotations"] = {
            {"wave": "dispatch.dev/wave", "argo": "argocd.argoproj.io/sync-wave"}[short]: text
            for short, text in annotations.items()
        }
    return Manifest({"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata}, Origin("all.yaml", 7))


def definition(group: str, kind: str, **annotations: str) -> Manifest:
    manifest = make("CustomResourceDefinition", f"{kind.lower()}s.{group}", **annotations)
    manifest.document["spec"] = {"group": group, "names": {"kind": kind}}
    return manifest


def names(staged: list[list[Manifest]]) -> list[list[str]]:
    return [[manifest.id.name for manifest in stage] for stage in staged]


def test_definitions_are_a_stage_of_their_own() -> None:
    staged = order.stages([make("Deployment", "web"), definition("x.example", "Y"), make("Namespace", "ns")])
    assert names(staged) == [["ns", "ys.x.example"], ["web"]]


def test_without_definitions_there_is_one_stage_in_the_order_of_kinds() -> None:
    kinds = ["ValidatingWebhookConfiguration", "APIService", "Backup", "Ingress", "Deployment", "Service"]
    kinds += ["ConfigMap", "Secret", "ServiceAccount"]
    staged = order.stages([make(kind, kind.lower()) for kind in kinds])
    expected = ["serviceaccount", "secret", "configmap", "service", "deployment", "ingress", "backup"]
    assert names(staged) == [[*expected, "apiservice", "validatingwebhookconfiguration"]]


def test_one_kind_is_ordered_by_namespace_then_name() -> None:
    staged = order.stages([make("ConfigMap", "b", "y"), make("ConfigMap", "c", "x"), make("ConfigMap", "a", "y")])
    assert names(staged) == [["c", "a", "b"]]


def test_a_kind_of_another_group_does_not_take_the_rank_of_its_namesake() -> None:
    knative = Manifest(
        {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "k"}}, Origin("a")
    )
    assert names(order.stages([knative, make("Deployment", "web")])) == [["web", "k"]]


def test_waves_go_from_low_to_high_and_each_defines_first() -> None:
    manifests = [
        make("ConfigMap", "late", wave="2"),
        make("Namespace", "early", wave="-1"),
        make("ConfigMap", "middle"),
        make("ConfigMap", "first", wave="-1"),
    ]
    assert names(order.stages(manifests)) == [["early"], ["first"], ["middle"], ["late"]]


def test_the_wave_of_argo_cd_is_understood_and_ours_wins() -> None:
    assert order.wave(make("ConfigMap", "a", argo="5")) == 5
    assert order.wave(make("ConfigMap", "a", argo="5", wave="3")) == 3
    assert order.wave(make("ConfigMap", "a")) == 0


@pytest.mark.parametrize("text", ["", "first", "1.5", "1_0", " 1", "٣", "99999999999"])
def test_a_wave_that_is_no_integer_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Terminal) as refused:
        order.stages([make("ConfigMap", "a", wave=text)])
    assert refused.value.reason is Reason.INVALID_MANIFEST
    assert "all.yaml:7" in refused.value.message
    assert "dispatch.dev/wave" in refused.value.message


def test_a_definition_never_comes_after_what_needs_it() -> None:
    crd = definition("stash.example", "Backup", wave="3")
    namespace = make("Namespace", "data", wave="5")
    staged = order.stages([make("Backup", "b", "data", wave="1"), crd, namespace])
    assert names(staged) == [["data", "backups.stash.example"], ["b"]]


def test_removal_takes_definitions_last() -> None:
    ids = [
        ObjectId("", "Namespace", "", "ns"),
        ObjectId("apiextensions.k8s.io", "CustomResourceDefinition", "", "backups.stash.example"),
        ObjectId("apps", "Deployment", "ns", "web"),
        ObjectId("stash.example", "Backup", "ns", "b"),
        ObjectId("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "", "hook"),
        ObjectId("", "ConfigMap", "ns", "a"),
    ]
    assert [id.kind for id in order.removal_order(ids)] == [
        "ValidatingWebhookConfiguration",
        "Backup",
        "Deployment",
        "ConfigMap",
        "CustomResourceDefinition",
        "Namespace",
    ]


@pytest.mark.parametrize("metadata", [None, [], "web", {"name": "a", "annotations": ["x"]}, {"name": 5}, {}])
def test_what_is_no_object_is_refused_with_its_place(metadata: object) -> None:
    manifest = Manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, Origin("all.yaml", 7))
    with pytest.raises(Terminal) as refused:
        order.stages([manifest])
    assert refused.value.reason is Reason.INVALID_MANIFEST
    assert refused.value.message.startswith("all.yaml:7: ")
