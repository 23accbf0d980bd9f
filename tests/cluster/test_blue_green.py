"""A version beside the other one, and all traffic at once: blue/green, on the real controller."""

from __future__ import annotations

import time
from typing import Any

from team import eventually
from walking import ROLLOUTS, Metric, Walkers

APPROVED: dict[str, Any] = {"blueGreen": {"service": "shop", "approval": True, "scaleDownDelay": "1s"}}


def hash_of(walkers: Walkers, service: str) -> str:
    """The version that a Service sends everybody to."""
    found = walkers.live("v1", "Service", service) or {}
    return str((found.get("spec", {}).get("selector") or {}).get("rollouts-pod-template-hash", ""))


def image_of(walkers: Walkers, service: str) -> set[str]:
    """The images of the pods behind a Service."""
    wanted = hash_of(walkers, service)
    pods = walkers.cluster.listing(walkers.resource("v1", "Pod"), walkers.namespace)
    return {
        container["image"]
        for pod in pods
        if pod["metadata"].get("labels", {}).get("rollouts-pod-template-hash") == wanted
        for container in pod["spec"]["containers"]
    }


def test_users_stay_with_the_old_version_until_somebody_approves_the_switch(walkers: Walkers) -> None:
    walkers.start(APPROVED)
    second = walkers.release("2")
    eventually(lambda: image_of(walkers, "shop-preview") == {"shop:2"}, 60, lambda: walkers.status("shop"))
    walkers.until_reason("shop", "RolloutPaused", within=60)
    time.sleep(2)
    assert image_of(walkers, "shop") == {"shop:1"}

    assert walkers.until_answered(walkers.ask("Promote", by="ada"))["state"] == "Done"
    eventually(lambda: image_of(walkers, "shop") == {"shop:2"}, 60, lambda: walkers.rollout()["status"])
    walkers.until_stable("shop:2")
    eventually(lambda: (found := walkers.ledger().promoted) and found.commit == second)
    assert any("by ada" in message for result, message in walkers.results() if result == "Promoted")


def test_a_preview_that_is_bad_never_reaches_the_users(walkers: Walkers, page: Metric) -> None:
    analysis = page.analysis()["analysis"]
    walkers.start(
        {"blueGreen": {"service": "shop", "before": [analysis], "onFailure": "Revert", "scaleDownDelay": "1s"}}
    )
    page.value = 0.9
    walkers.release("2-bad")
    eventually(lambda: walkers.ledger().vetoes, 60, lambda: walkers.status("shop"))
    assert image_of(walkers, "shop") == {"shop:1"}
    eventually(lambda: "shop:1" in walkers.head("shop/deployment.yaml"))
    walkers.until_ready("shop")
    assert image_of(walkers, "shop") == {"shop:1"}


def test_a_version_that_turns_bad_after_the_switch_is_switched_back(walkers: Walkers, page: Metric) -> None:
    analysis = page.analysis()["analysis"]
    walkers.start(
        {"blueGreen": {"service": "shop", "after": [analysis], "onFailure": "Revert", "scaleDownDelay": "30s"}}
    )
    page.value = 0.9
    walkers.release("2-bad")
    eventually(lambda: walkers.ledger().vetoes, 60, lambda: walkers.status("shop"))
    eventually(lambda: image_of(walkers, "shop") == {"shop:1"}, 60, lambda: walkers.rollout()["status"])
    eventually(lambda: "shop:1" in walkers.head("shop/deployment.yaml"))


def test_a_newer_version_waits_for_the_decision_about_the_preview(walkers: Walkers) -> None:
    walkers.start(APPROVED)
    walkers.release("2")
    walkers.until_reason("shop", "RolloutPaused", within=60)
    walkers.release("3")
    walkers.until_queued("RevisionQueued")
    assert image_of(walkers, "shop-preview") == {"shop:2"}
    walkers.until_answered(walkers.ask("Abort", by="ada"))
    eventually(lambda: image_of(walkers, "shop-preview") == {"shop:3"}, 60, lambda: walkers.status("shop"))
    assert image_of(walkers, "shop") == {"shop:1"}


def test_going_back_to_rolling_never_leaves_the_service_without_pods(walkers: Walkers) -> None:
    walkers.start({"blueGreen": {"service": "shop", "scaleDownDelay": "1s"}})
    walkers.deploy("shop", "shop")
    empty = 0

    def gone() -> bool:
        nonlocal empty
        if not ready_behind(walkers, "shop"):
            empty += 1
        return walkers.live(ROLLOUTS, "Rollout", "shop") is None

    eventually(gone, 60, lambda: walkers.status("shop"))
    for _ in range(40):
        empty += not ready_behind(walkers, "shop")
        time.sleep(0.05)
    assert empty == 0
    walkers.until_ready("shop")
    assert hash_of(walkers, "shop") == ""


def ready_behind(walkers: Walkers, service: str) -> int:
    """How many Ready pods the Service selects."""
    found = walkers.live("v1", "Service", service)
    assert found is not None
    selector = found["spec"]["selector"]
    pods = walkers.cluster.listing(walkers.resource("v1", "Pod"), walkers.namespace)
    return sum(
        selector.items() <= pod["metadata"].get("labels", {}).items()
        and "deletionTimestamp" not in pod["metadata"]
        and any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions") or [])
        for pod in pods
    )
