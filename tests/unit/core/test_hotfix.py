"""What a hotfix passes, whose turn it is, and what may lack one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kind_cases import hotfix as document

from reconciler.core import hotfix
from reconciler.model.document import load
from reconciler.model.hotfix import Hotfix
from reconciler.model.image import ImageRef
from reconciler.model.manifest import Origin
from reconciler.model.promotion import EnvironmentState, PastMerge, PromotionGate, PromotionState
from reconciler.model.rollout import Verdict
from reconciler.ports import Proof

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WINDOW = {"start": "0 9 * * 1-5", "duration": "8h"}


def made(name: str = "cve", *, age: timedelta = timedelta(minutes=1), status: Any = None, **spec: Any) -> Hotfix:
    written = document()
    written["metadata"] = {"name": name, "creationTimestamp": (NOW - age).isoformat().replace("+00:00", "Z")}
    written["spec"] |= spec
    if status is not None:
        written["status"] = status
    found = load(written, Origin("hotfix"))
    assert isinstance(found, Hotfix)
    return found


def at(state: PromotionState, **more: Any) -> dict[str, Any]:
    return {"target": {"name": "production", "state": state.value, **more}}


MERGED = at(PromotionState.MERGED, merged={"number": 7})


def closed(gate: PromotionGate, proof: Proof, now: datetime) -> tuple[str, Verdict, str]:
    return "any", Verdict.WAIT, "closed"


@pytest.mark.parametrize(
    ("gate", "skip", "passed"),
    [
        ({"healthyFor": "10m"}, [], True),
        ({"analysis": {"prometheus": {"query": "up", "max": "1"}}}, [], True),
        ({"approvals": {"count": 2}}, ["window", "freeze"], False),
        ({"checks": ["ci/build"]}, ["window", "freeze"], False),
        ({"hold": True}, ["window", "freeze"], False),
        ({"window": WINDOW}, [], False),
        ({"freeze": WINDOW}, [], False),
        ({"window": WINDOW}, ["freeze"], False),
        ({"freeze": WINDOW}, ["freeze"], True),
    ],
)
def test_it_passes_what_asks_the_environment_before_and_the_times_that_it_names(
    gate: dict[str, Any], skip: list[str], passed: bool
) -> None:
    asked, fix = PromotionGate.model_validate(gate), made(skip=skip)
    judged = hotfix.judging(fix, closed)(asked, Proof(None), NOW)
    assert judged[1] is (Verdict.PASS if passed else Verdict.WAIT)
    assert judged[2] == ("passed by Hotfix cve of ada@example.com" if passed else "closed")


def test_when_it_can_go_on_depends_on_the_gates_that_it_does_not_pass() -> None:
    gates = [PromotionGate.model_validate(each) for each in ({"healthyFor": "10m"}, {"window": WINDOW})]
    asked: list[Any] = []
    hotfix.forecasting(made(), lambda left, since, now: asked.extend(left))(gates, None, NOW)
    assert asked == gates[1:]


def test_it_lasts_from_its_creation_on() -> None:
    assert made(expiresAfter="1h").expires == NOW - timedelta(minutes=1) + timedelta(hours=1)


def test_one_that_was_never_created_has_no_time_left() -> None:
    written = document()
    found = load(written, Origin("hotfix"))
    assert isinstance(found, Hotfix)
    assert found.expires < NOW


def test_the_oldest_that_is_on_its_way_and_within_its_time_goes_first() -> None:
    old, new = made("b", age=timedelta(hours=2), expiresAfter="3h"), made("a", age=timedelta(hours=1))
    late = made("late", age=timedelta(hours=3), expiresAfter="1h")
    shut = made("shut", age=timedelta(hours=3), status=at(PromotionState.REJECTED))
    there = made("there", age=timedelta(hours=3), status=MERGED)
    elsewhere = made("elsewhere", age=timedelta(hours=3), environment="qa")
    assert hotfix.first([new, late, shut, there, elsewhere, old], "production", NOW) is old
    assert hotfix.first([late, shut, there, elsewhere], "production", NOW) is None


def test_what_ran_before_when_it_landed_may_lack_it() -> None:
    landed = made(status={**MERGED, "behind": ["registry.example.com/shop:1.5.0"]})
    under_way = made("x", status={**at(PromotionState.OPEN), "behind": ["registry.example.com/shop:1.6.0"]})
    found = hotfix.lacking([landed, under_way], "production")
    assert found == {"registry.example.com/shop:1.5.0": "cve"}
    old, new = (ImageRef("registry.example.com/shop", tag) for tag in ("1.5.0", "1.5.1"))
    assert hotfix.lacks([new, old], found) == (str(old), "cve")
    assert hotfix.lacks([new], found) is None
    assert hotfix.lacking([landed], "qa") == {}


def test_an_image_that_the_environment_does_not_run_is_strange() -> None:
    fix = made(images=["registry.example.com/shop:1.4.1", "other:1"])
    assert hotfix.strange(fix, ["registry.example.com/shop:1.4.0", "nginx:1"]) == ("other:1",)


@pytest.mark.parametrize(
    ("status", "over"),
    [
        (None, False),
        (at(PromotionState.OPEN), False),
        (at(PromotionState.WAITING), False),
        (at(PromotionState.REJECTED), True),
        (at(PromotionState.EXPIRED), True),
        (MERGED, True),
        ({**MERGED, "back": [{"name": "staging", "state": "Open"}]}, False),
        ({**MERGED, "back": [{"name": "staging", "state": "Current"}, {"name": "qa", "state": "Rejected"}]}, True),
    ],
)
def test_it_is_over_when_it_goes_nowhere_any_more(status: Any, over: bool) -> None:
    assert hotfix.is_over(made(status=status)) is over


def test_nothing_is_left_to_do_where_it_is_or_is_not_wanted() -> None:
    states = [EnvironmentState(name="staging", state=each) for each in PromotionState]
    assert {each.state.value for each in states if hotfix.came_back(each)} == {"Current", "Rejected", "Held"}
    merged = states[0].model_copy(update={"state": PromotionState.MERGED, "merged": PastMerge(number=3)})
    assert hotfix.came_back(merged)


def test_an_environment_before_keeps_what_is_newer() -> None:
    fix = made(images=["shop:1.4.1"])
    assert hotfix.carried_back(fix, ["shop:1.4.0"]).images == (ImageRef("shop", "1.4.1"),)
    newer = hotfix.carried_back(fix, ["shop:1.5.0"])
    assert (newer.images, newer.left) == ((), (ImageRef("shop", "1.4.1"),))
    assert hotfix.candidate(fix, ["shop:1.5.0"]).images == (ImageRef("shop", "1.4.1"),)
    assert hotfix.others(fix, ["shop:1.5.0", "nginx:1", "shop:1.4.1"]) == ("shop:1.5.0",)
