"""A freeze is judged at the moment of each merge: in its zone, over changes of the clock, and beside other freezes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.promotion import Candidate
from reconciler.core.promotion_decision import Act, decide
from reconciler.core.promotion_facts import Facts, Said
from reconciler.model.image import ImageRef
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment, PromotionGate, PromotionState
from reconciler.model.pull_request import PullRequest, Review
from reconciler.model.rollout import Verdict
from reconciler.ports import Proof
from strategies.gates import judge
from strategies.gates.earliest import earliest

BERLIN = ZoneInfo("Europe/Berlin")
SOURCE = PromotionEnvironment.model_validate({"name": "staging", "application": "staging"})
EVENING = datetime(2026, 6, 5, 15, 59, 59, tzinfo=UTC)
WEEKEND = {"start": "0 18 * * 5", "duration": "63h", "timeZone": "Europe/Berlin", "reason": "nobody is awake"}


def frozen(now: datetime, **freeze: Any) -> bool:
    return judge(PromotionGate.model_validate({"freeze": freeze}), Proof(), now)[1] is not Verdict.PASS


def approved(*freezes: dict[str, Any]) -> Facts:
    """A pull request that somebody has approved, with these freezes beside."""
    target = PromotionEnvironment.model_validate(
        {
            "name": "production",
            "application": "production",
            "merge": "Automatic",
            "gates": [{"approvals": {}}, *({"freeze": freeze} for freeze in freezes)],
        }
    )
    review = Review("ada", "approved", "change", EVENING - timedelta(hours=1), True)
    request = PullRequest(7, "pr/7", "b", "main", "change", "open", author="dispatch")
    known = EnvironmentState(name="production", state=PromotionState.OPEN, number=7)
    candidate = Candidate((ImageRef("shop", "2"),))
    said = Said(request=request, reviews=[review])
    return Facts(SOURCE, target, known, "c", EVENING, {}, candidate, "main", True, "change", said=said)


def test_a_freeze_that_starts_between_the_approval_and_the_merge_stops_the_merge() -> None:
    assert decide(approved(WEEKEND), judge, earliest, EVENING).act is Act.MERGE
    late = decide(approved(WEEKEND), judge, earliest, EVENING + timedelta(seconds=1))
    assert (late.act, late.state.state) == (Act.NONE, PromotionState.OPEN)
    assert "frozen until 2026-06-08 09:00 Europe/Berlin (nobody is awake)" in late.state.message
    assert decide(approved(WEEKEND), judge, earliest, datetime(2026, 6, 8, 7, 0, tzinfo=UTC)).act is Act.MERGE


def test_where_two_freezes_overlap_the_last_one_to_end_opens_the_way() -> None:
    release = {"start": "0 12 * * 6", "duration": "48h"}
    facts = approved(WEEKEND, release)
    assert decide(facts, judge, earliest, datetime(2026, 6, 8, 7, 0, tzinfo=UTC)).act is Act.NONE
    assert decide(facts, judge, earliest, datetime(2026, 6, 8, 11, 59, 59, tzinfo=UTC)).act is Act.NONE
    assert decide(facts, judge, earliest, datetime(2026, 6, 8, 12, 0, tzinfo=UTC)).act is Act.MERGE


@given(st.integers(0, 7 * 24 * 3600))
def test_a_freeze_that_begins_again_before_it_ended_has_no_gap(seconds: int) -> None:
    """Not in the minute before it begins again either."""
    assert frozen(EVENING + timedelta(seconds=seconds), start="0 * * * *", duration="90m")


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)])
def test_a_freeze_over_a_change_of_the_clock_begins_by_the_clock_and_lasts_for_its_time(day: datetime) -> None:
    """The night has 23 hours, or 25: a freeze from 22:00 the evening before, for 8 hours, ends by the seconds."""
    begins = (day - timedelta(hours=2)).astimezone(UTC)
    freeze = {"start": "0 22 * * *", "duration": "8h", "timeZone": "Europe/Berlin"}
    assert not frozen(begins - timedelta(seconds=1), **freeze)
    assert frozen(begins, **freeze) and frozen(begins + timedelta(hours=8, seconds=-1), **freeze)
    assert not frozen(begins + timedelta(hours=8), **freeze)


def test_a_freeze_that_begins_in_the_hour_that_comes_twice_begins_at_the_first_and_lasts_for_its_time() -> None:
    """02:30 of 25 October 2026 is 00:30 and 01:30 UTC in Berlin."""
    freeze = {"start": "30 2 * * *", "duration": "1h", "timeZone": "Europe/Berlin"}
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert not frozen(first - timedelta(seconds=1), **freeze)
    assert all(frozen(first + timedelta(minutes=minute), **freeze) for minute in range(60))
    assert not frozen(first + timedelta(hours=2), **freeze)


@example(datetime(2026, 3, 30, 7, tzinfo=UTC), BERLIN)
@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), st.sampled_from([BERLIN, UTC]))
def test_a_freeze_is_the_same_wherever_the_clock_is_read(now: datetime, zone: ZoneInfo) -> None:
    assert frozen(now, **WEEKEND) == frozen(now.astimezone(zone), **WEEKEND)
