"""When a promotion is looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.engine.promotion_standing import next_look
from reconciler.model.promotion import EnvironmentState, GateState, PromotionState

NOW = datetime(2026, 6, 5, 16, tzinfo=UTC)
WAITING = EnvironmentState(name="production", state=PromotionState.WAITING)
CURRENT = EnvironmentState(name="production", state=PromotionState.CURRENT)


def test_nobody_looks_where_everything_is_as_it_should_be() -> None:
    assert next_look([CURRENT, CURRENT], NOW) is None


def test_what_waits_for_people_is_looked_at_now_and_then() -> None:
    assert next_look([CURRENT, WAITING], NOW) == 15.0


def test_the_forge_is_asked_soon_whether_it_can_merge() -> None:
    ripe = EnvironmentState(
        name="production", state=PromotionState.OPEN, gates=(GateState(gate="checks", verdict="pass"),)
    )
    assert next_look([ripe], NOW) == 3.0


@pytest.mark.parametrize(("seconds", "wait"), [(5, 5.1), (-1, 15.0), (0, 15.0), (3600, 15.0)])
def test_a_soak_or_a_window_is_looked_at_when_it_opens(seconds: float, wait: float) -> None:
    state = WAITING.model_copy(update={"earliest": NOW + timedelta(seconds=seconds)})
    assert next_look([WAITING, state], NOW) == pytest.approx(wait)
