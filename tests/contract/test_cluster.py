"""What every Cluster does to apply, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract.cluster_objects import accepted, configmap, one, refused, served

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


def test_an_apply_creates_and_says_who_owns_what(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    applied = accepted(one(kube, configmaps, configmap(namespace, a="1")))
    assert kube.read(configmaps, namespace, "web") == applied
    assert [entry["manager"] for entry in applied["metadata"]["managedFields"]] == ["dispatch"]
    assert applied["metadata"]["managedFields"][0]["operation"] == "Apply"


@pytest.mark.parametrize(
    "text",
    ["Grüße 🎉", "<a href='x'>&</a>", "one\u2028two\u2029three\x85four", "\t\r\n\x00\x01\x7f\x9f\ufeff\uffff", '"\\/'],
)
def test_every_text_arrives_as_it_is(kube: KubeCluster, configmaps: Resource, namespace: str, text: str) -> None:
    """The server reads an apply as YAML."""
    made = accepted(one(kube, configmaps, configmap(namespace, key=text)))
    assert made["data"] == {"key": text}


def test_a_second_apply_changes_nothing(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    first = accepted(one(kube, configmaps, configmap(namespace, a="1")))
    second = accepted(one(kube, configmaps, configmap(namespace, a="1")))
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_field_that_is_no_longer_applied_goes(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    one(kube, configmaps, configmap(namespace, a="1", b="2"))
    assert accepted(one(kube, configmaps, configmap(namespace, a="1")))["data"] == {"a": "1"}


def test_a_dry_run_answers_and_writes_nothing(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    answer = accepted(one(kube, configmaps, configmap(namespace, a="1"), dry_run=True))
    assert answer["data"] == {"a": "1"}
    assert kube.read(configmaps, namespace, "web") is None


def test_the_answers_of_many_are_in_order_and_one_refusal_stops_nobody(
    kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    names = [f"web-{number}" for number in range(120)]
    documents = [configmap(namespace, name, a=name) for name in names]
    documents[60]["metadata"]["name"] = "Not_A_Name"
    answers = kube.apply([(configmaps, document) for document in documents])
    assert [found["data"]["a"] for found in answers if isinstance(found, dict)] == names[:60] + names[61:]
    assert refused(answers[60]).code == 422
    assert len(list(kube.listing(configmaps, namespace))) == 119


def test_nothing_to_apply_is_no_answer(kube: KubeCluster) -> None:
    assert kube.apply([]) == []


def test_unknown_fields_are_refused_and_named(kube: KubeCluster, namespace: str) -> None:
    deployments = served(kube, "apps/v1", "Deployment")
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "imag": "b"}]}}},
    }
    refusal = refused(one(kube, deployments, document))
    assert (refusal.code, refusal.reason) == (422, "Invalid")
    assert refusal.causes == (('spec.template.spec.containers[name="a"].imag', "field not declared in schema"),)
    document["spec"] = {"replica": 3, "selectors": {}}
    refusal = refused(one(kube, deployments, document))
    assert {field for field, _ in refusal.causes} <= {"spec.replica", "spec.selectors"}
    assert refusal.causes


def test_a_wrong_type_is_refused_and_named(kube: KubeCluster, namespace: str) -> None:
    deployments = served(kube, "apps/v1", "Deployment")
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": "three"},
    }
    refusal = refused(one(kube, deployments, document, dry_run=True))
    assert refusal.code == 422
    assert refusal.causes[0][0] == "spec.replicas"


def test_an_element_that_comes_twice_is_refused_and_named(kube: KubeCluster, namespace: str) -> None:
    services = served(kube, "v1", "Service")
    document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]},
    }
    refusal = refused(one(kube, services, document))
    assert refusal.code == 422
    assert "duplicate" in refusal.message.lower()
    assert refusal.causes[0][0].startswith("spec.ports")


def test_an_immutable_field_is_refused_with_its_cause(kube: KubeCluster, namespace: str) -> None:
    services = served(kube, "v1", "Service")

    def service(address: str) -> dict[str, Any]:
        metadata = {"name": "web", "namespace": namespace}
        spec = {"ports": [{"port": 80}], "clusterIP": address}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}

    address = accepted(one(kube, services, service("")))["spec"]["clusterIP"]
    other = "10.0.0.200" if address != "10.0.0.200" else "10.0.0.201"
    refusal = refused(one(kube, services, service(other)))
    assert (refusal.code, refusal.reason) == (422, "Invalid")
    assert refusal.causes[0][0].startswith("spec.clusterIP")
    assert "may not change once set" in refusal.causes[0][1]


def test_a_namespace_that_is_missing_is_named(kube: KubeCluster, configmaps: Resource) -> None:
    refusal = refused(one(kube, configmaps, configmap("no-such-namespace")))
    assert (refusal.code, refusal.reason) == (404, "NotFound")
    assert 'namespaces "no-such-namespace" not found' in refusal.message
    assert kube.resource("v1", "ConfigMap") == configmaps


def test_an_object_without_name_or_namespace_is_refused_here(kube: KubeCluster, configmaps: Resource) -> None:
    for metadata in ({"name": "web"}, {"namespace": "default"}, None):
        refusal = refused(one(kube, configmaps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
        assert refusal.code == 400
        assert "metadata.name" in refusal.message


def test_a_field_that_somebody_else_wrote_is_taken_only_by_force(
    kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    # To the server what we create is another's than what we apply.
    kube.create(configmaps, namespace, configmap(namespace, a="theirs"))
    refusal = refused(one(kube, configmaps, configmap(namespace, a="ours"), force=False))
    assert (refusal.code, refusal.causes[0][0]) == (409, ".data.a")
    assert accepted(one(kube, configmaps, configmap(namespace, a="ours"), force=True))["data"] == {"a": "ours"}


def test_a_cluster_scoped_object_is_applied(kube: KubeCluster, namespace: str) -> None:
    roles = served(kube, "rbac.authorization.k8s.io/v1", "ClusterRole")
    name = f"system:{namespace}:reader"
    document = {"apiVersion": roles.api_version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": []}
    applied = accepted(one(kube, roles, document))
    assert kube.read(roles, "", name) == applied
    assert kube.delete([(roles, "", name, applied["metadata"]["uid"])]) == [{}]
    assert kube.read(roles, "", name) is None


@pytest.mark.parametrize(
    "content",
    [
        {"stringData": {"password": ["hunter2-hunter2"]}},
        {"stringData": {"password": 1234567890}},
        {"data": {"password": "hunter2-hunter2!"}},
        {"data": {"password": "aHVudGVyMi1odW50ZXIy"}, "stringData": {"bad key!": "hunter2-hunter2"}},
        {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "hunter2-hunter2"}},
        {"stringData": {"password": "hunter2-hunter2"}, "hunter": "unknown"},
    ],
)
def test_a_refused_secret_is_not_repeated(content: dict[str, Any], kube: KubeCluster, namespace: str) -> None:
    secrets = served(kube, "v1", "Secret")
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": namespace}, **content}
    told = str(refused(one(kube, secrets, document)))
    assert not any(word in told for word in ("hunter2", "1234567", "aHVudGVy"))
