"""What every Cluster does to single objects and lists, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contract.cluster_objects import accepted, configmap, one, refused, served, wait_for

from reconciler.adapters.kube import KubeCluster, connect
from reconciler.model.change import Resource
from reconciler.sandbox.platform import Sandbox


@pytest.fixture
def kube(apiserver: Sandbox) -> Iterator[KubeCluster]:
    cluster = connect(apiserver.kubeconfig)
    yield cluster
    cluster.close()


@pytest.fixture
def configmaps(kube: KubeCluster) -> Resource:
    return served(kube, "v1", "ConfigMap")


def test_what_is_not_there_is_none(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    assert kube.read(configmaps, namespace, "web") is None


def test_a_list_has_all_pages_and_says_of_what_kind_each_object_is(
    kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    kube.apply([(configmaps, configmap(namespace, f"web-{number}")) for number in range(1_100)])
    found = list(kube.listing(configmaps, namespace))
    assert {item["metadata"]["name"] for item in found} == {f"web-{number}" for number in range(1_100)}
    assert len(found) == 1_100
    assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "ConfigMap")}
    everywhere = {item["metadata"]["namespace"] for item in kube.listing(configmaps)}
    assert namespace in everywhere
    assert len(everywhere) > 1


def test_a_list_can_be_selected_by_label(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    kube.apply([(configmaps, configmap(namespace, name, {"app": name})) for name in ("a", "b", "c")])
    found = kube.listing(configmaps, namespace, "app in (a, c)")
    assert [item["metadata"]["name"] for item in found] == ["a", "c"]


def test_a_delete_deletes_what_was_meant_and_nothing_else(
    kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    applied = accepted(one(kube, configmaps, configmap(namespace)))
    uid = applied["metadata"]["uid"]
    assert kube.delete([(configmaps, namespace, "web", "00000000-0000-0000-0000-000000000000")]) == [{}]
    assert kube.read(configmaps, namespace, "web") is not None
    assert refused(kube.delete([(configmaps, namespace, "web", "")])[0]).code == 400
    assert kube.read(configmaps, namespace, "web") is not None
    assert kube.delete([(configmaps, namespace, "web", uid)]) == [{}]
    assert kube.read(configmaps, namespace, "web") is None
    assert kube.delete([(configmaps, namespace, "web", uid)]) == [{}]


def test_an_object_that_waits_for_its_finalizers_is_answered_as_it_is(
    kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    document = configmap(namespace)
    document["metadata"]["finalizers"] = ["example.com/wait"]
    uid = accepted(one(kube, configmaps, document))["metadata"]["uid"]
    for _ in range(2):
        (answer,) = kube.delete([(configmaps, namespace, "web", uid)])
        assert accepted(answer)["metadata"]["deletionTimestamp"]
    kube.patch(configmaps, namespace, "web", {"metadata": {"finalizers": None}})
    wait_for(lambda: kube.read(configmaps, namespace, "web") is None)


def test_a_namespace_that_is_being_deleted_is_deleted_again_without_a_refusal(
    kube: KubeCluster, namespace: str
) -> None:
    namespaces = served(kube, "v1", "Namespace")
    found = kube.read(namespaces, "", namespace)
    assert found is not None
    for _ in range(2):
        (answer,) = kube.delete([(namespaces, "", namespace, found["metadata"]["uid"])])
        assert accepted(answer)["metadata"]["deletionTimestamp"]


def test_a_map_merges_and_a_list_of_steps_is_done(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    one(kube, configmaps, configmap(namespace, a="1", b="2"))
    merged = accepted(kube.patch(configmaps, namespace, "web", {"data": {"a": None, "c": "3"}}))
    assert merged["data"] == {"b": "2", "c": "3"}
    steps = [{"op": "test", "path": "/data/b", "value": "2"}, {"op": "remove", "path": "/data/b"}]
    assert accepted(kube.patch(configmaps, namespace, "web", steps))["data"] == {"c": "3"}
    assert refused(kube.patch(configmaps, namespace, "web", steps)).code in (409, 422)
    assert refused(kube.patch(configmaps, namespace, "nobody", {})).code == 404


def test_a_status_is_patched_apart(kube: KubeCluster, namespace: str) -> None:
    services = served(kube, "v1", "Service")
    spec = {"ports": [{"port": 80}], "type": "LoadBalancer"}
    metadata = {"name": "web", "namespace": namespace}
    one(kube, services, {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    change = {"spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {"ingress": [{"hostname": "web.example.com"}]}}}
    patched = accepted(kube.patch(services, namespace, "web", change, "status"))
    assert patched["status"]["loadBalancer"]["ingress"][0]["hostname"] == "web.example.com"
    assert patched["spec"]["type"] == "LoadBalancer"


def test_a_create_makes_one_object_and_refuses_a_second(kube: KubeCluster, namespace: str) -> None:
    events = served(kube, "v1", "Event")
    document = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web.1", "namespace": namespace},
        "involvedObject": {"kind": "ConfigMap", "namespace": namespace, "name": "web"},
        "reason": "Tested",
    }
    assert accepted(kube.create(events, namespace, document))["metadata"]["uid"]
    refusal = refused(kube.create(events, namespace, document))
    assert (refusal.code, refusal.reason) == (409, "AlreadyExists")


def test_the_server_says_its_version_and_what_we_may(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    assert kube.version().startswith("v1.")
    assert kube.allowed("create", configmaps, namespace)
    assert kube.allowed("delete", configmaps)
