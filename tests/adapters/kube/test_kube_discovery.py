"""Which kinds are served, by servers new and old."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from adapters.kube.scripted_server import (
    Asked,
    Start,
    answer,
    status,
)

from reconciler.adapters.kube import discovery
from reconciler.model.change import Resource
from reconciler.model.identity import GroupKind
from reconciler.model.outcome import Reason, Terminal, Transient


def kind(resource: str, name: str, scope: str = "Namespaced") -> dict[str, Any]:
    return {"resource": resource, "responseKind": {"group": "", "version": "", "kind": name}, "scope": scope}


def group(name: str, **versions: Any) -> dict[str, Any]:
    told = [
        {"version": version, "resources": resources, "freshness": "Current" if resources else "Stale"}
        for version, resources in versions.items()
    ]
    return {"metadata": {"name": name}, "versions": told}


def aggregated(*groups: dict[str, Any]) -> bytes:
    return answer({"kind": "APIGroupDiscoveryList", "items": list(groups)})


CORE = aggregated(group("", v1=[kind("configmaps", "ConfigMap"), kind("namespaces", "Namespace", "Cluster")]))


def test_the_whole_server_is_asked_in_two_requests(start: Start) -> None:
    apps = aggregated(
        group("autoscaling", v2=[kind("scalers", "Scaler")], v1=[kind("scalers", "Scaler"), kind("old", "Old")])
    )
    server, cluster = start(lambda asked: CORE if asked.path == "/api" else apps)
    assert cluster.resource("v1", "ConfigMap") == Resource("v1", "ConfigMap", "configmaps", True)
    assert cluster.resource("v1", "Namespace") == Resource("v1", "Namespace", "namespaces", False)
    assert cluster.resource("autoscaling/v1", "Scaler") == Resource("autoscaling/v1", "Scaler", "scalers", True)
    scaler = cluster.preferred(GroupKind("autoscaling", "Scaler"))
    assert scaler is not None
    assert scaler.api_version == "autoscaling/v2"
    old = cluster.preferred(GroupKind("autoscaling", "Old"))
    assert old is not None
    assert old.api_version == "autoscaling/v1"
    assert [asked.path for asked in server.asked] == ["/api", "/apis"]


def test_an_unknown_kind_is_asked_for_again_but_not_all_the_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[dict[str, Any]] = []
    server, cluster = start(lambda asked: CORE if asked.path == "/api" else aggregated(*known))
    for _ in range(50):
        assert cluster.resource("example.com/v1", "Widget") is None
    assert len(server.asked) == 2
    known.append(group("example.com", v1=[kind("widgets", "Widget")]))
    cluster.invalidate()
    assert cluster.resource("example.com/v1", "Widget") is not None
    known.append(group("example.org", v1=[kind("widgets", "Widget")]))
    monkeypatch.setattr(discovery, "ASK_AGAIN", 0.0)
    cluster.invalidate()
    assert cluster.resource("example.net/v1", "Widget") is None
    asked = len(server.asked)
    assert cluster.resource("example.net/v1", "Widget") is None
    assert len(server.asked) == asked + 2


def test_many_threads_ask_once(start: Start) -> None:
    server, cluster = start(lambda asked: CORE if asked.path == "/api" else aggregated())
    threads = [threading.Thread(target=cluster.resource, args=("v1", "Nothing")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(server.asked) == 2


def test_a_definition_that_is_applied_makes_its_kind_known_at_once(start: Start) -> None:
    known: list[dict[str, Any]] = []

    def script(asked: Asked) -> bytes:
        if asked.method == "PATCH":
            known.append(group("example.com", v1=[kind("widgets", "Widget")]))
            return answer(asked.body)
        return CORE if asked.path == "/api" else aggregated(*known)

    _, cluster = start(script)
    assert cluster.resource("example.com/v1", "Widget") is None
    definitions = Resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False)
    cluster.apply([(definitions, {"metadata": {"name": "widgets.example.com"}})])
    assert cluster.resource("example.com/v1", "Widget") is not None


def test_a_kind_whose_path_is_gone_is_forgotten(start: Start) -> None:
    known = [group("example.com", v1=[kind("widgets", "Widget")])]

    def script(asked: Asked) -> bytes:
        if asked.method == "PATCH":
            return status(404, "NotFound", "the server could not find the requested resource")
        return CORE if asked.path == "/api" else aggregated(*known)

    _, cluster = start(script)
    widgets = cluster.resource("example.com/v1", "Widget")
    assert widgets is not None
    known.clear()
    cluster.apply([(widgets, {"metadata": {"name": "w", "namespace": "shop"}})])
    assert cluster.resource("example.com/v1", "Widget") is None


def test_a_kind_of_an_api_whose_server_is_down_is_not_taken_for_unknown(start: Start) -> None:
    _, cluster = start(lambda asked: CORE if asked.path == "/api" else aggregated(group("metrics.example.com", v1=[])))
    with pytest.raises(
        Transient, match=r"metrics\.example\.com/v1.*get apiservices v1\.metrics\.example\.com"
    ) as raised:
        cluster.resource("metrics.example.com/v1", "PodMetrics")
    assert raised.value.reason is Reason.CLUSTER_BUSY
    with pytest.raises(Transient):
        cluster.preferred(GroupKind("metrics.example.com", "PodMetrics"))
    assert cluster.resource("metrics.example.com/v2", "PodMetrics") is None


LEGACY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {
        "groupVersion": "v1",
        "resources": [
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": True},
            {"name": "namespaces", "kind": "Namespace", "namespaced": False},
            {"name": "namespaces/status", "kind": "Namespace", "namespaced": False},
        ],
    },
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "autoscaling",
                "versions": [{"groupVersion": "autoscaling/v1"}, {"groupVersion": "autoscaling/v2"}],
                "preferredVersion": {"groupVersion": "autoscaling/v2"},
            },
            {"name": "down.example.com", "versions": [{"groupVersion": "down.example.com/v1"}]},
        ],
    },
    "/apis/autoscaling/v1": {
        "groupVersion": "autoscaling/v1",
        "resources": [{"name": "scalers", "kind": "Scaler", "namespaced": True}],
    },
    "/apis/autoscaling/v2": {
        "groupVersion": "autoscaling/v2",
        "resources": [{"name": "scalers", "kind": "Scaler", "namespaced": True}],
    },
}


def test_an_old_server_is_asked_group_by_group(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.adapters.kube.patience.FAILURES", 0)

    def script(asked: Asked) -> bytes:
        found = LEGACY.get(asked.path)
        return answer(found) if found else status(503, "ServiceUnavailable", "no endpoints")

    _, cluster = start(script)
    assert cluster.resource("v1", "Namespace") == Resource("v1", "Namespace", "namespaces", False)
    assert cluster.resource("autoscaling/v1", "Scaler") is not None
    preferred = cluster.preferred(GroupKind("autoscaling", "Scaler"))
    assert preferred is not None
    assert preferred.api_version == "autoscaling/v2"
    with pytest.raises(Transient, match=r"down\.example\.com/v1"):
        cluster.resource("down.example.com/v1", "Thing")


def test_discovery_that_is_forbidden_is_terminal(start: Start) -> None:
    _, cluster = start(lambda asked: status(403, "Forbidden", 'User "me" cannot get path "/api"'))
    with pytest.raises(Terminal, match=r'User "me"') as raised:
        cluster.resource("v1", "ConfigMap")
    assert raised.value.reason is Reason.FORBIDDEN


def test_discovery_that_fails_is_tried_again_by_the_next_question(start: Start) -> None:
    answers = [status(501), CORE, aggregated()]
    _, cluster = start(lambda asked: answers.pop(0))
    with pytest.raises(Transient):
        cluster.resource("v1", "ConfigMap")
    assert cluster.resource("v1", "ConfigMap") is not None
