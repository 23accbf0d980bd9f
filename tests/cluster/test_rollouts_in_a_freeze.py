"""A version that is on its way out in an environment of a Promotion, when a freeze of that environment begins."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from rollout_fixtures import Walking
from team import config_map, eventually
from walking import ROLLOUTS, Walkers

from reconciler.model.resource import API_VERSION
from reconciler.model.rollout import Verdict

TWO_STEPS = {"canary": {"steps": [{"weight": 50}, {"pause": {}}, {"weight": 80}, {"pause": {}}]}}
ALWAYS = {"start": "* * * * *", "duration": "1h", "reason": "a sale"}


def promotion(walkers: Walkers, *gates: dict[str, Any]) -> None:
    """`shop` is production, beside another one that goes with it."""
    environments = [
        {"name": "staging", "applications": ["shop-staging", "worker-staging"]},
        {"name": "production", "applications": ["shop", "worker"], "gates": list(gates)},
    ]
    spec = {"environments": environments}
    walkers.apply({"apiVersion": API_VERSION, "kind": "Promotion", "metadata": {"name": "shop"}, "spec": spec})


def for_a_while(seconds: float) -> tuple[dict[str, str], datetime]:
    """A freeze that is on now and ends in so many seconds; and when it ends."""
    now = datetime.now(UTC)
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=1)
    ends = now.replace(microsecond=0) + timedelta(seconds=seconds)
    lasts = f"{int((ends - start).total_seconds())}s"
    return {"start": f"{start:%M %H} * * *", "duration": lasts, "reason": "a sale"}, ends


def until_waiting(walkers: Walkers, name: str) -> dict[str, Any]:
    """Wait until an action says that it waits for the freeze; its status."""

    def seen() -> dict[str, Any] | None:
        status = (walkers.live(API_VERSION, "RolloutAction", name) or {}).get("status") or {}
        return status if "frozen until" in status.get("message", "") else None

    return eventually(seen, 30, lambda: walkers.status("shop"))


def test_a_promote_in_a_freeze_waits_and_is_done_when_it_ends(walkers: Walkers) -> None:
    walkers.start(TWO_STEPS)
    walkers.release("2")
    walkers.until_paused(1)
    freeze, ends = for_a_while(20)
    promotion(walkers, {"freeze": freeze})
    eventually(lambda: "frozen until" in walkers.condition("shop")["message"], 10, lambda: walkers.status("shop"))
    asked = walkers.ask("Promote", by="ada")

    waiting = until_waiting(walkers, asked)
    assert waiting["state"] == "Pending"
    assert "(a sale)" in waiting["message"]
    message = eventually(lambda: found if "once it may" in (found := walkers.condition("shop")["message"]) else "")
    assert "as ada asked, once it may; Dispatch lets nothing go on: freeze: frozen until" in message
    assert walkers.rollout()["status"]["currentStepIndex"] == 1

    answer = walkers.until_answered(asked, within=60)
    assert answer["state"] == "Done"
    assert datetime.fromisoformat(answer["at"]) >= ends
    walkers.until_paused(3)


def test_an_abort_goes_through_in_a_freeze_and_a_full_promotion_does_not(walkers: Walkers) -> None:
    walkers.start({"canary": TWO_STEPS["canary"] | {"onFailure": "Revert"}})
    promotion(walkers, {"freeze": ALWAYS})
    walkers.release("2")
    walkers.until_paused(1)
    full = walkers.ask("PromoteFull")
    assert until_waiting(walkers, full)["state"] == "Pending"
    time.sleep(2)
    assert walkers.images() == {"shop:1", "shop:2"}
    assert not walkers.rollout()["status"].get("promoteFull")

    assert walkers.until_answered(walkers.ask("Abort", reason="customers complain"))["state"] == "Done"
    assert walkers.until_answered(full)["state"] == "Refused"
    eventually(lambda: "shop:1" in walkers.head("shop/deployment.yaml"))
    walkers.until_stable("shop:1")


def test_a_gate_answers_wait_in_a_freeze(walkers: Walkers, walking: Walking) -> None:
    walkers.start({"canary": {"steps": [{"weight": 50}, {"gate": {"approval": True, "interval": "1s"}}]}})
    promotion(walkers, {"freeze": ALWAYS})
    walkers.release("2")
    eventually(lambda: (walkers.rollout().get("status") or {}).get("currentStepIndex") == 1, 60)
    until_waiting(walkers, walkers.ask("Promote", by="ada"))

    version = walkers.rollout()["status"]["currentPodHash"]
    verdict, why = walking.controller.gate(walkers.namespace, "shop", version, 1)
    assert (verdict, "step 2 waits: freeze: frozen until" in why) == (Verdict.WAIT, True)
    time.sleep(3)
    assert walkers.rollout()["status"]["currentStepIndex"] == 1
    assert walkers.images() == {"shop:1", "shop:2"}

    promotion(walkers)
    walkers.until_stable("shop:2")


def test_the_switch_of_a_blue_green_waits_until_the_freeze_is_over(walkers: Walkers) -> None:
    walkers.push({"shop/settings.yaml": config_map("settings", answer="1")})
    walkers.start({"blueGreen": {"approval": True}})
    promotion(walkers, {"freeze": ALWAYS})
    walkers.release("2")
    eventually(lambda: (walkers.rollout().get("status") or {}).get("pauseConditions"), 60)
    asked = walkers.ask("Promote")
    until_waiting(walkers, asked)
    time.sleep(2)
    status = walkers.rollout()["status"]
    assert status["stableRS"] != status["currentPodHash"]

    promotion(walkers)
    assert walkers.until_answered(asked)["state"] == "Done"
    walkers.until_stable("shop:2")


def test_a_revert_of_what_was_promoted_is_walked_out_in_a_freeze(walkers: Walkers) -> None:
    walkers.start({"canary": {"steps": [{"weight": 50}, {"pause": {}}]}})
    walkers.release("2")
    walkers.until_paused(1)
    walkers.ask("Promote")
    walkers.until_stable("shop:2")
    eventually(lambda: walkers.ledger().earlier)
    promotion(walkers, {"freeze": ALWAYS})

    walkers.release("1")
    walkers.until_paused(1)
    assert walkers.until_answered(walkers.ask("Promote"))["state"] == "Done"
    walkers.until_stable("shop:1")
    # What was given up by it is a step forward again.
    eventually(lambda: not walkers.ledger().earlier)
    walkers.release("2")
    walkers.until_paused(1)
    until_waiting(walkers, walkers.ask("Promote"))
    assert walkers.live(ROLLOUTS, "Rollout", "shop")
