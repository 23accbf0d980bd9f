"""When a version can be merged at the earliest: in every time zone, over every change of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.promotion import PromotionGate
from reconciler.model.rollout import Verdict
from reconciler.ports import Proof
from strategies.gates import judge
from strategies.gates.earliest import earliest

FRIDAY = datetime(2026, 6, 5, 16, 30, tzinfo=UTC)
OFFICE = {"start": "0 9 * * 1-5", "duration": "8h", "timeZone": "Europe/Berlin"}
READY = FRIDAY - timedelta(minutes=10)


def gates(*given: dict[str, Any]) -> list[PromotionGate]:
    return [PromotionGate.model_validate(each) for each in given]


@pytest.mark.parametrize(
    ("written", "when"),
    [
        ([], FRIDAY),
        ([{"healthyFor": "10m"}], FRIDAY),
        ([{"healthyFor": "1h"}], datetime(2026, 6, 5, 17, 20, tzinfo=UTC)),
        ([{"window": OFFICE}], datetime(2026, 6, 8, 7, 0, tzinfo=UTC)),
        (
            [{"window": OFFICE}, {"healthyFor": "72h"}],
            datetime(2026, 6, 9, 7, 0, tzinfo=UTC),
        ),
        ([{"freeze": {"start": "0 16 * * 5", "duration": "2d"}}], datetime(2026, 6, 7, 16, 0, tzinfo=UTC)),
        (
            [{"window": OFFICE}, {"freeze": {"start": "0 0 8 6 *", "duration": "12h"}}],
            datetime(2026, 6, 8, 12, 0, tzinfo=UTC),
        ),
        ([{"approvals": {}}, {"checks": ["ci"]}], FRIDAY),
        ([{"hold": False}], FRIDAY),
    ],
    ids=[
        "none",
        "soaked",
        "soaks",
        "window",
        "both",
        "freeze",
        "freeze-in-a-window",
        "people-and-programs",
        "not-held",
    ],
)
def test_the_last_of_the_closed_times_decides(written: list[dict[str, Any]], when: datetime) -> None:
    assert earliest(gates(*written), READY, FRIDAY) == when


@pytest.mark.parametrize(
    "written",
    [
        [{"hold": True}],
        [{"window": {"start": "99 9 * * *", "duration": "1h"}}],
        [{"freeze": {"start": "0 0 * * *", "duration": "24h"}}],
        [{"window": OFFICE}, {"freeze": {**OFFICE, "duration": "9h"}}],
    ],
    ids=["held", "unreadable", "always-frozen", "frozen-whenever-it-is-open"],
)
def test_what_never_opens_by_itself_has_no_earliest_time(written: list[dict[str, Any]]) -> None:
    assert earliest(gates(*written), READY, FRIDAY) is None


def test_what_is_not_ready_has_no_earliest_time() -> None:
    assert earliest(gates({"healthyFor": "1m"}), None, FRIDAY) is None
    assert earliest(gates({"window": OFFICE}), None, FRIDAY) is not None


@pytest.mark.parametrize(
    ("now", "when"),
    [
        (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
    ids=["the-hour-that-is-left-out", "the-hour-that-comes-twice"],
)
def test_a_window_in_the_night_of_the_change_opens_once_it_can(now: datetime, when: datetime) -> None:
    night = {"start": "30 2 * * *", "duration": "1h", "timeZone": "Europe/Berlin"}
    assert earliest(gates({"window": night}), None, now) == when


def test_a_window_that_was_open_in_the_hour_that_comes_twice_does_not_open_in_the_past() -> None:
    night = {"start": "59 1 * * *", "duration": "30m", "timeZone": "America/New_York"}
    now = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    found = earliest(gates({"window": night}), None, now)
    assert found is not None and found >= now and all_open(gates({"window": night}), now, found)


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
WINDOWS = st.builds(
    lambda minute, hour, days, duration, zone: {
        "start": f"{minute} {hour} * * {days}",
        "duration": duration,
        "timeZone": zone,
    },
    st.sampled_from(["0", "30", "59"]),
    st.sampled_from(["1", "2", "3", "9", "*/6"]),
    st.sampled_from(["*", "1-5", "0", "6"]),
    st.sampled_from(["30m", "1h", "5h", "30h"]),
    ZONES,
)
TIMED = st.lists(
    st.builds(lambda window: {"window": window}, WINDOWS)
    | st.builds(lambda window: {"freeze": window}, WINDOWS)
    | st.sampled_from([{"healthyFor": "90m"}, {"healthyFor": "30h"}]),
    max_size=3,
)
CHANGES = [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC)]
MOMENTS = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes), st.sampled_from(CHANGES), st.integers(0, 3 * 1440)
)


def all_open(written: list[PromotionGate], ready: datetime, now: datetime) -> bool:
    return all(judge(gate, Proof(ready), now)[1] is Verdict.PASS for gate in written)


@settings(max_examples=150, deadline=None)
@given(TIMED, MOMENTS, st.integers(0, 59))
def test_everything_is_open_then_and_at_no_moment_before(
    written: list[dict[str, Any]], now: datetime, place: int
) -> None:
    made = gates(*written)
    found = earliest(made, now, now)
    if found is None:
        return
    assert all_open(made, now, found)
    gone = (found - now) / 60
    for part in range(60):
        before = now + gone * (part + place / 60)
        assert before >= found or not all_open(made, now, before)
    assert earliest(made, now, now + gone * place) == found
