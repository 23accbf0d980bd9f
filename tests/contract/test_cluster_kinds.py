"""What every Cluster knows of kinds, and how it follows them, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract.cluster_objects import Following, accepted, configmap, definition, one, refused, served, wait_for

from reconciler.adapters.kube import KubeCluster, connect
from reconciler.model.change import EventType, Refusal, Resource
from reconciler.model.identity import GroupKind
from reconciler.sandbox.platform import Sandbox


@pytest.fixture
def kube(apiserver: Sandbox) -> Iterator[KubeCluster]:
    cluster = connect(apiserver.kubeconfig)
    yield cluster
    cluster.close()


@pytest.fixture
def configmaps(kube: KubeCluster) -> Resource:
    return served(kube, "v1", "ConfigMap")


def test_the_kinds_of_the_server_are_known(kube: KubeCluster) -> None:
    assert kube.resource("v1", "Namespace") == Resource("v1", "Namespace", "namespaces", False)
    assert kube.resource("apps/v1", "Deployment") == Resource("apps/v1", "Deployment", "deployments", True)
    assert kube.resource("extensions/v1beta1", "Deployment") is None
    assert kube.preferred(GroupKind("autoscaling", "HorizontalPodAutoscaler")) == Resource(
        "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True
    )
    assert kube.preferred(GroupKind("", "Nothing")) is None


def test_an_unknown_kind_is_known_once_its_definition_is_applied(kube: KubeCluster, namespace: str) -> None:
    group = f"{namespace}.example.com"
    assert kube.resource(f"{group}/v1", "Widget") is None
    definitions = served(kube, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
    applied = accepted(one(kube, definitions, definition(group)))
    wait_for(lambda: kube.resource(f"{group}/v1", "Widget"))
    widgets = served(kube, f"{group}/v1", "Widget")
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": namespace}}
    wait_for(lambda: isinstance(one(kube, widgets, widget | {"spec": {"size": 1}}), dict))
    assert dict(refused(one(kube, widgets, widget | {"spec": {"sise": 1}})).causes) == {
        "spec.sise": "field not declared in schema"
    }
    assert refused(one(kube, widgets, widget | {"spec": {"size": 0}})).causes[0][0] == "spec.size"
    kube.delete([(definitions, "", f"widgets.{group}", applied["metadata"]["uid"])])
    wait_for(lambda: refused_or_none(kube, widgets, widget))
    wait_for(lambda: kube.resource(f"{group}/v1", "Widget") is None)


def refused_or_none(kube: KubeCluster, resource: Resource, document: dict[str, Any]) -> bool:
    answer = one(kube, resource, document)
    return isinstance(answer, Refusal) and answer.code == 404


def test_a_follower_sees_what_is_there_and_what_happens(
    kube: KubeCluster, configmaps: Resource, namespace: str
) -> None:
    one(kube, configmaps, configmap(namespace, "before"))
    with Following(kube, configmaps, namespace=namespace) as following:
        assert [event.type for event in following.events] == [EventType.LISTING, EventType.ADDED, EventType.LISTED]
        listed = following.events[1].document
        assert (listed["apiVersion"], listed["kind"]) == ("v1", "ConfigMap")
        assert listed["metadata"]["managedFields"]
        applied = accepted(one(kube, configmaps, configmap(namespace, "web", a="1")))
        one(kube, configmaps, configmap(namespace, "web", a="2"))
        kube.delete([(configmaps, namespace, "web", applied["metadata"]["uid"])])
        wait_for(lambda: len(following.events) == 6)
        assert [(event.type, event.document["metadata"]["name"]) for event in following.events[3:]] == [
            (EventType.ADDED, "web"),
            (EventType.MODIFIED, "web"),
            (EventType.DELETED, "web"),
        ]
        assert following.events[4].document["data"] == {"a": "2"}


def test_a_follower_lists_more_than_a_page(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    kube.apply([(configmaps, configmap(namespace, f"web-{number}")) for number in range(620)])
    with Following(kube, configmaps, namespace=namespace) as following:
        assert following.names == {f"web-{number}" for number in range(620)}
        assert following.listed == 1


def test_a_selected_object_that_loses_its_label_leaves(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    kube.apply([(configmaps, configmap(namespace, name, {"app": name})) for name in ("a", "b")])
    with Following(kube, configmaps, namespace=namespace, selector="app=a") as following:
        assert following.names == {"a"}
        one(kube, configmaps, configmap(namespace, "a"))
        wait_for(lambda: following.names == set())
        one(kube, configmaps, configmap(namespace, "b", {"app": "a"}))
        wait_for(lambda: following.names == {"b"})


def test_a_follower_of_all_namespaces_sees_each(kube: KubeCluster, configmaps: Resource, namespace: str) -> None:
    with Following(kube, configmaps, selector=f"only={namespace}") as following:
        one(kube, configmaps, configmap(namespace, "here", {"only": namespace}))
        one(kube, configmaps, configmap("default", f"there-{namespace}", {"only": namespace}))
        wait_for(lambda: following.names == {"here", f"there-{namespace}"})


def test_a_cluster_scoped_kind_is_followed(kube: KubeCluster, namespace: str) -> None:
    roles = served(kube, "rbac.authorization.k8s.io/v1", "ClusterRole")
    with Following(kube, roles, selector=f"only={namespace}") as following:
        metadata = {"name": namespace, "labels": {"only": namespace}}
        one(kube, roles, {"apiVersion": roles.api_version, "kind": "ClusterRole", "metadata": metadata, "rules": []})
        wait_for(lambda: following.names == {namespace})


def test_a_kind_can_be_followed_through_the_end_of_its_definition(kube: KubeCluster, namespace: str) -> None:
    group = f"{namespace}.example.com"
    definitions = served(kube, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
    widgets = Resource(f"{group}/v1", "Widget", "widgets", True)
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": namespace}}
    with Following(kube, widgets) as following:
        assert following.names == set()
        for _ in range(2):
            applied = accepted(one(kube, definitions, definition(group)))
            wait_for(lambda: isinstance(one(kube, widgets, widget), dict))
            wait_for(lambda: following.names == {"w"}, 60)
            kube.delete([(definitions, "", f"widgets.{group}", applied["metadata"]["uid"])])
            wait_for(lambda: following.names == set(), 60)
            wait_for(lambda: kube.read(definitions, "", f"widgets.{group}") is None, 60)
