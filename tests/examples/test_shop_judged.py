"""The strategies of the example tell bad versions from good ones: Argo Rollouts and Prometheus, without Dispatch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import yaml
from controller_fixtures import open_cluster
from examples.playing import EXAMPLE, playing, rate
from sandbox_fixtures import fresh_namespace
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.model.application import Application
from reconciler.model.change import Refusal, Resource
from reconciler.ports import Making, Written
from reconciler.sandbox.platform import Sandbox
from strategies.rollout import blue_green, canary

ARGO = "argoproj.io/v1alpha1"
WITHIN = 60.0


def document(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((EXAMPLE / "config" / file).read_text())
    return found


class Place:
    """A namespace with one of the example's applications in it, as a Rollout with a template of its own."""

    def __init__(self, cluster: KubeCluster, namespace: str, prometheus: str, app: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.app = app
        self.written = written(app, Making(namespace, app, "", prometheus, app))

    def resource(self, document: dict[str, Any]) -> Resource:
        found = self.cluster.resource(document["apiVersion"], document["kind"])
        assert found is not None
        return found

    def put(self, *documents: dict[str, Any]) -> None:
        for each in documents:
            each["metadata"]["namespace"] = self.namespace
            (answer,) = self.cluster.apply([(self.resource(each), each)])
            assert not isinstance(answer, Refusal), answer

    def run(self, version: str) -> None:
        found = document(f"apps/{self.app}/deployment.yaml")
        found["spec"]["template"]["spec"]["containers"][0]["image"] = f"example.com/{self.app}:{version}"
        found["spec"]["strategy"] = self.written.strategy
        self.put(found | {"apiVersion": ARGO, "kind": "Rollout"})

    def services(self) -> list[dict[str, Any]]:
        active = document(f"apps/{self.app}/service.yaml")
        if "blueGreen" not in self.written.strategy:
            return [active]
        return [active, active | {"metadata": {"name": self.written.strategy["blueGreen"]["previewService"]}}]

    def status(self) -> dict[str, Any]:
        """Empty while the newest spec has not been looked at."""
        resource = self.resource({"apiVersion": ARGO, "kind": "Rollout"})
        found = self.cluster.read(resource, self.namespace, self.app) or {}
        seen = found.get("status", {}).get("observedGeneration") == str(found["metadata"]["generation"])
        return found["status"] if seen else {}

    def until(self, seen: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        return eventually(lambda: now if (now := self.status()) and seen(now) else None, WITHIN, self.status)


def written(app: str, making: Making) -> Written:
    strategy = Application.model_validate(document(f"dispatch/{app}.yaml")).spec.strategy
    if strategy.canary:
        return canary.write(strategy.canary, making)
    assert strategy.blue_green
    return blue_green.write(strategy.blue_green, making)


Start = Callable[[str], Place]


@pytest.fixture
def start(metrics: Sandbox) -> Iterator[Start]:
    """Brings an application of the example up at version 1.0.0, with customers."""
    with ExitStack() as stack:
        cluster = open_cluster(metrics)
        stack.callback(cluster.close)

        def started(app: str) -> Place:
            place = Place(cluster, fresh_namespace(metrics), metrics.urls["prometheus"], app)
            services = place.services()
            place.put(*services, *place.written.objects)
            place.run("1.0.0")
            names = [service["metadata"]["name"] for service in services]
            stack.enter_context(playing(metrics, place.namespace, *names))
            place.until(lambda now: now.get("phase") == "Healthy")
            eventually(lambda: served(metrics, place, app, "1.0.0") > 1, WITHIN)
            return place

        yield started


def served(sandbox: Sandbox, place: Place, service: str, version: str, code: str = ".*") -> float:
    labels = f'namespace="{place.namespace}",service="{service}",version="{version}",code=~"{code}"'
    return rate(sandbox, f"http_requests_total{{{labels}}}")


def test_a_version_without_errors_goes_all_the_way(start: Start, metrics: Sandbox) -> None:
    shop = start("shop")
    before = shop.status()["currentPodHash"]
    shop.run("2.0.0")
    shop.until(lambda now: now["stableRS"] == now["currentPodHash"] != before)
    assert served(metrics, shop, "shop", "2.0.0", "200") > 1
    assert served(metrics, shop, "shop", "2.0.0", "500") == 0


def test_a_version_with_errors_is_aborted_while_one_customer_in_five_meets_it(start: Start, metrics: Sandbox) -> None:
    shop = start("shop")
    before = shop.status()["currentPodHash"]
    shop.run("2.0.0-bad")
    aborted = shop.until(lambda now: now.get("abort"))
    assert aborted["stableRS"] == before
    new, old = served(metrics, shop, "shop", "2.0.0-bad"), served(metrics, shop, "shop", "1.0.0")
    assert 0.1 < new / (new + old) < 0.3
    assert served(metrics, shop, "shop", "2.0.0-bad", "500") > 0
    assert served(metrics, shop, "shop", "1.0.0", "500") == 0


def test_a_preview_that_is_quick_waits_for_a_person_and_customers_keep_the_old_version(
    start: Start, metrics: Sandbox
) -> None:
    checkout = start("checkout")
    checkout.run("1.1.0")
    checkout.until(lambda now: (now.get("pauseConditions") or [{}])[0].get("reason") == "BlueGreenPause")
    analysis = checkout.until(lambda now: _judgement(now) == "Successful")
    assert analysis["currentPodHash"] != analysis["stableRS"]
    assert served(metrics, checkout, "checkout-preview", "1.1.0") > 1
    assert served(metrics, checkout, "checkout", "1.1.0") == 0


def test_a_preview_that_is_slow_is_aborted_before_a_customer_meets_it(start: Start, metrics: Sandbox) -> None:
    checkout = start("checkout")
    before = checkout.status()["currentPodHash"]
    checkout.run("1.1.0-slow")
    aborted = checkout.until(lambda now: now.get("abort"))
    assert _judgement(aborted) == "Failed"
    assert aborted["stableRS"] == before
    assert served(metrics, checkout, "checkout", "1.1.0-slow") == 0


def _judgement(status: dict[str, Any]) -> str:
    return str((status.get("blueGreen", {}).get("prePromotionAnalysisRunStatus") or {}).get("status"))
