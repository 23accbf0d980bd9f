"""The example's query tells a bad version from a good one: Argo Rollouts, Prometheus and a Rollout written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from controller_fixtures import open_cluster
from examples.playing import EXAMPLE, playing, rate
from sandbox_fixtures import fresh_namespace
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import Refusal, Resource
from reconciler.sandbox.platform import Sandbox

ARGO = "argoproj.io/v1alpha1"
WITHIN = 60.0


@pytest.fixture
def cluster(metrics: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(metrics)
    yield opened
    opened.close()


def document(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((EXAMPLE / "config" / file).read_text())
    return found


def query() -> str:
    steps = document("dispatch/shop.yaml")["spec"]["strategy"]["canary"]["steps"]
    return next(step["analysis"]["prometheus"]["query"] for step in steps if "analysis" in step)


def template(address: str) -> dict[str, Any]:
    metric = {
        "name": "errors",
        "interval": "1s",
        "count": 3,
        "initialDelay": "4s",
        "successCondition": "len(result) > 0 && !isNaN(result[0]) && result[0] <= 0.05",
        "provider": {"prometheus": {"address": address, "query": query()}},
    }
    return {
        "apiVersion": ARGO,
        "kind": "AnalysisTemplate",
        "metadata": {"name": "errors"},
        "spec": {"args": [{"name": "hash"}], "metrics": [metric]},
    }


def rollout(version: str) -> dict[str, Any]:
    found = document("apps/shop/deployment.yaml")
    found["spec"]["template"]["spec"]["containers"][0]["image"] = f"example.com/shop:{version}"
    arguments = [{"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}}]
    analysis = {"templates": [{"templateName": "errors"}], "args": arguments}
    found["spec"]["strategy"] = {"canary": {"steps": [{"setWeight": 20}, {"analysis": analysis}]}}
    return found | {"apiVersion": ARGO, "kind": "Rollout"}


class Place:
    """A namespace with the shop's objects in it."""

    def __init__(self, cluster: KubeCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def resource(self, document: dict[str, Any]) -> Resource:
        found = self.cluster.resource(document["apiVersion"], document["kind"])
        assert found is not None
        return found

    def put(self, *documents: dict[str, Any]) -> None:
        for each in documents:
            each["metadata"]["namespace"] = self.namespace
            (answer,) = self.cluster.apply([(self.resource(each), each)])
            assert not isinstance(answer, Refusal), answer

    def status(self) -> dict[str, Any]:
        found = self.cluster.read(self.resource(rollout("1")), self.namespace, "shop") or {}
        newest = found.get("status", {}).get("observedGeneration") == str(found["metadata"]["generation"])
        return found["status"] if newest else {}


@pytest.fixture
def place(metrics: Sandbox, cluster: KubeCluster) -> Iterator[Place]:
    """The shop at version 1.0.0, with customers."""
    made = Place(cluster, fresh_namespace(metrics))
    made.put(document("apps/shop/service.yaml"), template(metrics.urls["prometheus"]), rollout("1.0.0"))
    with playing(metrics, made.namespace, "shop"):
        eventually(lambda: made.status().get("phase") == "Healthy", WITHIN, made.status)
        eventually(lambda: rate(metrics, 'http_requests_total{version="1.0.0"}') > 1, WITHIN)
        yield made


def test_a_version_without_errors_goes_all_the_way(place: Place, metrics: Sandbox) -> None:
    before = place.status()["currentPodHash"]
    place.put(rollout("2.0.0"))
    eventually(lambda: place.status().get("stableRS") not in (None, before), WITHIN, place.status)
    assert rate(metrics, 'http_requests_total{version="2.0.0",code="200"}') > 1
    assert rate(metrics, 'http_requests_total{version="2.0.0",code="500"}') == 0


def test_a_version_with_errors_is_aborted_while_one_customer_in_five_meets_it(place: Place, metrics: Sandbox) -> None:
    before = place.status()["currentPodHash"]
    place.put(rollout("2.0.0-bad"))
    eventually(lambda: place.status().get("abort"), WITHIN, place.status)
    assert place.status()["stableRS"] == before
    assert rate(metrics, 'http_requests_total{version="2.0.0-bad",code="500"}') > 0
    assert rate(metrics, 'http_requests_total{version="1.0.0",code="500"}') == 0
