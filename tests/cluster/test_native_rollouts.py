"""Rollouts that a team wrote itself: Dispatch deploys them as they are, and drives them on the real controller."""

from __future__ import annotations

import json
import time
from typing import Any

from team import eventually
from walking import ROLLOUTS, Walkers

Document = dict[str, Any]
STEPS: list[Document] = [{"setWeight": 50}, {"pause": {}}]


def own(version: str, strategy: Document, container: Document | None = None, **spec: Any) -> Document:
    """The team's own Rollout `shop`."""
    pod = {"containers": [{"name": "shop", "image": f"shop:{version}", **(container or {})}]}
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": pod | spec.pop("pod", {})}
    return {
        "apiVersion": ROLLOUTS,
        "kind": "Rollout",
        "metadata": {"name": "shop"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": template,
            "strategy": strategy,
            **spec,
        },
    }


def service(name: str) -> Document:
    spec = {"selector": {"app": "shop"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def deploys(walkers: Walkers, *documents: Document, **spec: Any) -> None:
    """The first version, until it is promoted."""
    pushes(walkers, *documents)
    walkers.read_repository()
    walkers.deploy("shop", "shop", **spec)
    eventually(lambda: walkers.ledger().promoted, 60, lambda: walkers.status("shop"))


def pushes(walkers: Walkers, *documents: Document) -> str:
    files: dict[str, str | None] = {
        f"shop/{each['kind'].lower()}-{each['metadata']['name']}.json": json.dumps(each) for each in documents
    }
    return walkers.push(files)


def promotes(walkers: Walkers) -> None:
    answer = walkers.until_answered(walkers.ask("Promote"))
    assert answer["state"] == "Done", answer


def corrected(walkers: Walkers) -> list[tuple[str, str]]:
    return [entry for entry in walkers.results() if entry[0] == "Corrected"]


def test_a_rollout_is_driven_where_the_application_says_nothing_of_a_strategy(walkers: Walkers) -> None:
    deploys(walkers, own("1", {"canary": {"steps": STEPS}}))
    second = pushes(walkers, own("2", {"canary": {"steps": STEPS}}))
    walkers.until_paused(1)
    walkers.until_reason("shop", "RolloutPaused")
    promotes(walkers)
    walkers.until_stable("shop:2")
    eventually(lambda: (found := walkers.ledger().promoted) and found.commit == second)


def test_a_blue_green_waits_for_the_switch_under_an_application_that_says_blue_green(walkers: Walkers) -> None:
    """The API server fills in defaults of the Application's section, which nobody has said."""
    strategy = {"blueGreen": {"activeService": "shop", "previewService": "next", "autoPromotionEnabled": False}}
    deploys(walkers, service("shop"), service("next"), own("1", strategy), strategy={"blueGreen": {}})
    pushes(walkers, own("2", strategy))
    walkers.until_reason("shop", "RolloutPaused")
    assert walkers.images() == {"shop:1", "shop:2"}
    promotes(walkers)
    walkers.until_stable("shop:2")


def test_a_rollout_goes_from_blue_green_to_canary_by_a_commit(walkers: Walkers) -> None:
    deploys(walkers, service("shop"), own("1", {"blueGreen": {"activeService": "shop"}}))
    pushes(walkers, own("2", {"canary": {"steps": STEPS}}))
    walkers.until_paused(1)
    selector = {"app": "shop"}
    eventually(lambda: (walkers.live("v1", "Service", "shop") or {})["spec"]["selector"] == selector)
    promotes(walkers)
    walkers.until_stable("shop:2")


def test_a_rollout_for_the_deployment_beside_it_needs_no_strategy_of_the_application(walkers: Walkers) -> None:
    template = own("1", {})["spec"].pop("template")
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "shop"}}, "template": template},
    }
    rollout = own("1", {"canary": {"steps": STEPS}})
    rollout["spec"] = {
        "replicas": 2,
        "strategy": rollout["spec"]["strategy"],
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
    }
    deploys(walkers, deployment, rollout)
    template["spec"]["containers"][0]["image"] = "shop:2"
    pushes(walkers, deployment)
    walkers.until_paused(1)
    promotes(walkers)
    walkers.until_stable("shop:2")
    assert walkers.rollout()["spec"]["workloadRef"]["name"] == "shop"


def test_a_rollout_for_a_deployment_of_somebody_else_is_approved_as_well(walkers: Walkers) -> None:
    """Git does not know the versions then: an abort of one is no word on the next."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "theirs"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": own("1", {})["spec"]["template"],
        },
    }
    walkers.apply(deployment)
    rollout = own("1", {"canary": {"steps": STEPS}})
    for field in ("template", "selector"):
        del rollout["spec"][field]
    rollout["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "theirs"}
    deploys(walkers, rollout)

    def moves_on(version: str) -> None:
        pod = {"containers": [{"name": "shop", "image": f"shop:{version}"}]}
        walkers.edit("apps/v1", "Deployment", "theirs", {"spec": {"template": {"spec": pod}}})
        walkers.until_pods({"shop:1", f"shop:{version}"})
        walkers.until_paused(1)

    moves_on("2")
    assert walkers.until_answered(walkers.ask("Abort"))["state"] == "Done"
    walkers.until_pods({"shop:1"})
    eventually(lambda: walkers.ledger().vetoes)
    moves_on("3")
    promotes(walkers)
    walkers.until_stable("shop:3")
    eventually(lambda: not walkers.ledger().vetoes, 30, walkers.ledger)


def test_a_long_pause_is_ended_by_an_approval(walkers: Walkers) -> None:
    steps = [{"setWeight": 50}, {"pause": {"duration": "24h"}}]
    deploys(walkers, own("1", {"canary": {"steps": steps}}))
    pushes(walkers, own("2", {"canary": {"steps": steps}}))
    walkers.until_paused(1)
    promotes(walkers)
    walkers.until_stable("shop:2")


def test_what_the_controller_writes_back_in_its_own_spelling_is_no_drift(walkers: Walkers) -> None:
    """It writes the whole object to count a version: with empty maps in an experiment, and without zeros."""
    trial = {"experiment": {"duration": "2s", "templates": [{"name": "trial", "specRef": "canary"}]}}
    canary = {"canary": {"dynamicStableScale": False, "steps": [trial, *STEPS]}}
    zeros: Document = {"hostNetwork": False, "tolerations": [], "nodeSelector": {}}

    def version(number: str) -> Document:
        requests = {"requests": {"cpu": 0.5}}
        return own(number, canary, {"resources": requests, "tty": False}, pod=zeros, paused=False)

    deploys(walkers, version("1"))
    for number in ("2", "3"):
        pushes(walkers, version(number))
        walkers.until_paused(2)
        promotes(walkers)
        walkers.until_stable(f"shop:{number}")
    time.sleep(1)
    assert walkers.status("shop")["drift"] == []
    assert corrected(walkers) == []


def test_a_quantity_that_the_controller_respelled_can_still_be_changed_in_git(walkers: Walkers) -> None:
    def asking(cpu: float) -> Document:
        return own("1", {"canary": {}}, {"resources": {"requests": {"cpu": cpu}}})

    deploys(walkers, asking(0.5))
    pushes(walkers, asking(0.25))
    eventually(
        lambda: walkers.rollout()["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "250m"
    )


def test_a_restart_of_all_pods_is_left_to_run(walkers: Walkers) -> None:
    """`kubectl argo rollouts restart`."""
    deploys(walkers, own("1", {"canary": {"steps": STEPS}}))
    walkers.until_ready("shop")
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    walkers.edit(ROLLOUTS, "Rollout", "shop", {"spec": {"restartAt": at}}, manager="kubectl-argo-rollouts")
    eventually(lambda: (walkers.rollout().get("status") or {}).get("restartedAt") == at)
    time.sleep(1)
    assert walkers.rollout()["spec"]["restartAt"] == at
    assert walkers.status("shop")["drift"] == []


def test_a_spec_that_is_refused_is_no_pause(walkers: Walkers) -> None:
    steps = [{"analysis": {"templates": [{"templateName": "nowhere"}]}}]
    pushes(walkers, own("1", {"canary": {"steps": steps}}))
    walkers.read_repository()
    walkers.deploy("shop", "shop")
    assert "Mend it in Git" in walkers.until_reason("shop", "Degraded")
    assert walkers.condition("shop")["status"] == "False"
    pushes(walkers, own("1", {"canary": {"steps": STEPS}}))
    walkers.until_ready("shop", within=60)
