"""Which times of a Promotion a version waits for, and which versions go back and wait for none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.progressive.freezes import closed, goes_back, holding
from reconciler.model.application_status import PromotedRevision
from reconciler.model.hotfix import Hotfix
from reconciler.model.promotion import PromotionEnvironment
from strategies.gates import judge

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
FREEZE = {"start": "0 11 * * *", "duration": "3h", "timeZone": "UTC", "reason": "a sale"}
WINDOW = {"start": "0 14 * * *", "duration": "2h"}
OPEN = {"start": "0 10 * * *", "duration": "4h"}


def production(*gates: dict[str, Any]) -> PromotionEnvironment:
    return PromotionEnvironment.model_validate({"name": "production", "application": "shop", "gates": list(gates)})


def hotfix(commit: str, *skip: str, environment: str = "production") -> Hotfix:
    return Hotfix.model_validate(
        {
            "apiVersion": "dispatch.dev/v1alpha1",
            "kind": "Hotfix",
            "metadata": {"name": "fix", "namespace": "a"},
            "spec": {
                "promotion": "shop",
                "environment": environment,
                "images": ["shop:1.0.1"],
                "reason": "it burns",
                "skip": list(skip),
                "by": "ada",
            },
            "status": {"target": {"name": environment, "state": "Merged", "merged": {"commit": commit}}},
        }
    )


@pytest.mark.parametrize(
    ("gates", "why"),
    [
        ([], ""),
        ([{"freeze": FREEZE}], "freeze: frozen until 2026-11-26 14:00 UTC (a sale)"),
        ([{"window": WINDOW}], "window: opens at 2026-11-26 14:00 UTC"),
        ([{"window": OPEN}], ""),
        ([{"window": OPEN}, {"freeze": FREEZE}], "freeze: frozen until 2026-11-26 14:00 UTC (a sale)"),
        (
            [{"freeze": FREEZE}, {"window": WINDOW}],
            "freeze: frozen until 2026-11-26 14:00 UTC (a sale); window: opens at 2026-11-26 14:00 UTC",
        ),
        ([{"freeze": FREEZE | {"reason": "two\nlines"}}], "freeze: frozen until 2026-11-26 14:00 UTC (two lines)"),
        (
            [{"freeze": FREEZE | {"start": "99 * * * *"}}],
            "freeze: the schedule '99 * * * *' cannot be read: Bad minute",
        ),
        ([{"hold": True}, {"approvals": {"count": 1}}, {"healthyFor": "1h"}, {"checks": ["ci"]}], ""),
    ],
)
def test_only_the_times_hold_a_rollout_and_say_until_when(gates: list[dict[str, Any]], why: str) -> None:
    assert closed(holding(production(*gates), [], "c0ffee"), judge, NOON) == why


@pytest.mark.parametrize(
    ("fix", "held"),
    [
        (hotfix("c0ffee", "freeze"), False),
        (hotfix("c0ffee", "window"), True),
        (hotfix("c0ffee"), True),
        (hotfix("another", "freeze"), True),
        (hotfix("", "freeze"), True),
        (hotfix("c0ffee", "freeze", environment="staging"), True),
    ],
)
def test_what_a_hotfix_was_told_to_skip_does_not_hold_its_own_rollout(fix: Hotfix, held: bool) -> None:
    assert bool(holding(production({"freeze": FREEZE}), [fix], "c0ffee")) is held
    assert holding(production({"freeze": FREEZE}), [fix], "")


def test_what_was_promoted_before_goes_back() -> None:
    promoted = PromotedRevision(revision="c", templates={"web": "cc"}, at=NOON, earlier=("web=aa", "web=bb"))
    assert goes_back(promoted, "web", "aa")
    assert goes_back(promoted, "web", "bb")
    assert not goes_back(promoted, "web", "dd")
    assert not goes_back(promoted, "worker", "aa")
    assert not goes_back(promoted, "web", "")
    assert not goes_back(None, "web", "aa")
