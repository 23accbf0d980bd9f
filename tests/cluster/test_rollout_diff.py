"""`dispatch diff` of an Application with a strategy: what it makes, and what a change would do to the rollout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Ran, application, dispatch, install_kinds
from controller_fixtures import open_cluster
from manifests import write
from sandbox_fixtures import fresh_namespace
from shaped_folder import Document, ShapedFolder
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.applyset import applyset_id
from reconciler.sandbox.platform import Sandbox

CANARY: Document = {"canary": {"steps": [{"weight": 5}, {"gate": {"approval": True}}, {"pause": {}}]}}


def web(image: str) -> Document:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@pytest.fixture(scope="module")
def server(platform: Sandbox) -> Iterator[KubeCluster]:
    install_kinds(platform)
    opened = open_cluster(platform)
    yield opened
    opened.close()


class Shop:
    """A folder, the Application of it with a strategy, and the cluster that it is deployed to."""

    def __init__(self, sandbox: Sandbox, server: KubeCluster, place: Path) -> None:
        self.namespace = fresh_namespace(sandbox)
        self.deployed = ShapedFolder(server, self.namespace, applyset=applyset_id("shop", self.namespace))
        self._sandbox, self._place = sandbox, place
        (place / ".git").mkdir()
        (place / "apps/shop").mkdir(parents=True)

    def diff(self, *documents: Document, strategy: Document = CANARY, output: str = "text") -> Ran:
        write(self._place / "apps/shop", *documents)
        file = self._place / "shop.yaml"
        file.write_text(yaml.safe_dump(application("shop", self.namespace, strategy=strategy)))
        return dispatch("diff", "-f", file, "--kubeconfig", self._sandbox.kubeconfig, "-o", output)


@pytest.fixture
def shop(platform: Sandbox, server: KubeCluster, tmp_path: Path) -> Shop:
    return Shop(platform, server, tmp_path)


def predictions(ran: Ran) -> dict[str, list[str]]:
    found: list[dict[str, Any]] = json.loads(ran.out)
    return {each["ref"].partition(".")[0]: each["predictions"] for each in found if "predictions" in each}


def test_from_the_first_deployment_to_a_canary_and_a_change_of_its_steps(shop: Shop) -> None:
    first = shop.diff(web("web:1"))
    assert first.code == 1, first
    assert f"Rollout.argoproj.io/{shop.namespace}/web would be created" in first.out
    assert "rollout: first deployment: steps and analyses are skipped\n" in first.out
    assert "rollout: 5% of 3 replicas is 1 of 4 pods\n" in first.out

    shop.deployed.run([web("web:1")], CANARY)
    eventually(lambda: (seen := shop.deployed.seen()) is not None and seen.promoted and seen.available == 3)
    shop.deployed.run([web("web:1")], CANARY)
    eventually(lambda: (shop.deployed.read("Deployment", "web") or {})["spec"]["replicas"] == 0)
    same = shop.diff(web("web:1"))
    assert (same.code, same.out) == (0, ""), same

    newer = shop.diff(web("web:2"), output="json")
    assert predictions(newer) == {"Deployment": ["starts a canary of 3 steps", "5% of 3 replicas is 1 of 4 pods"]}
    labelled = web("web:1")
    labelled["metadata"]["labels"] = {"team": "a"}
    assert predictions(shop.diff(labelled, output="json")) == {"Deployment": ["no pod change: no rollout"]}

    shop.deployed.run([web("web:2")], CANARY)
    eventually(lambda: (seen := shop.deployed.seen()) is not None and seen.step == 1)
    (waits,) = predictions(shop.diff(web("web:3"), output="json"))["Deployment"]
    assert waits.startswith("waits: a rollout is in flight (inFlight: Queue)")
    supersede = {"canary": {**CANARY["canary"], "inFlight": "Supersede"}}
    restarts = predictions(shop.diff(web("web:3"), strategy=supersede, output="json"))["Deployment"]
    assert restarts[0] == "restarts the running canary at step 1 of 3 steps: it is at step 2 of 3"
    shorter = {"canary": {"steps": CANARY["canary"]["steps"][:2]}}
    steps = predictions(shop.diff(web("web:2"), strategy=shorter, output="json"))
    assert steps["Rollout"][0] == "the steps change: the controller starts again at the first step"


def test_what_the_strategy_makes_impossible_is_an_error_with_the_place(shop: Shop) -> None:
    ran = shop.diff(web("web:1"), strategy={"blueGreen": {}})
    assert ran.code == 2
    assert "no Service of the folder selects the pods of web" in ran.err
