"""The report of drift: when it is due, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.drift_report import due, report
from reconciler.model.application_status import ApplicationStatus, DriftEntry
from reconciler.model.notice import Subject
from reconciler.model.notifier import DriftReportTime
from reconciler.model.outcome import Reason, Terminal

MONDAY = datetime(2026, 3, 30, 7, 0, tzinfo=UTC)


def weekly(schedule: str = "0 9 * * MON", zone: str = "Europe/Berlin") -> DriftReportTime:
    return DriftReportTime(schedule=schedule, time_zone=zone)


def test_it_is_due_at_the_time_of_the_place_also_when_the_clocks_are_changed() -> None:
    """On 29 March 2026 Berlin goes from UTC+1 to UTC+2."""
    last, left = due(weekly(), MONDAY - timedelta(minutes=1))
    assert last == datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
    assert left == 60.0
    for seconds in (0, 0.02, 59, 60, 61):
        assert due(weekly(), MONDAY + timedelta(seconds=seconds))[0] == MONDAY, seconds


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (weekly("0 99 * * MON"), "spec.report.schedule"),
        (weekly(zone="Europe/Nowhere"), "spec.report.timeZone"),
        (weekly("0 0 30 2 *"), "spec.report.schedule"),
    ],
)
def test_a_time_that_never_comes_names_its_field(time: DriftReportTime, words: str) -> None:
    with pytest.raises(Terminal) as told:
        due(time, MONDAY)
    assert told.value.reason is Reason.INVALID_SPEC
    assert words in told.value.message


def entry(seen: datetime, corrected: datetime | None, manager: str = "kubectl-edit") -> DriftEntry:
    return DriftEntry(
        object="ConfigMap/p/a", field="/data/x", drift="changed", live="s3cr3t", manager=manager, seen=seen,
        corrected=corrected,
    )  # fmt: skip


def test_it_counts_what_drifted_in_the_time_and_what_is_still_there() -> None:
    week = timedelta(days=7)
    old = entry(MONDAY - 2 * week, MONDAY - 2 * week)
    mended, there = entry(MONDAY - week / 2, MONDAY - week / 2, "helm"), entry(MONDAY - week, None)
    told = report(
        "team-a",
        [
            (Subject("team-a", "web"), ApplicationStatus(drift=(old,))),
            (Subject("team-a", "shop"), ApplicationStatus(drift=(mended, there, old))),
        ],
        MONDAY - week,
        MONDAY,
    )
    assert told.title == "Drift from 2026-03-23 to 2026-03-30: 2 fields of 2 Applications"
    assert told.lines[0] == "team-a/shop: 2 fields by helm, kubectl-edit, 1 of them still there"
    assert "web" not in repr(told.lines) and "s3cr3t" not in repr(told)


def test_a_quiet_week_is_said_too_and_each_report_is_a_message_of_its_own() -> None:
    quiet = [(Subject("team-a", "web"), ApplicationStatus())]
    one = report("team-a", quiet, MONDAY - timedelta(days=7), MONDAY)
    two = report("team-a", quiet, MONDAY, MONDAY + timedelta(days=7))
    assert one.title == "No drift, 2026-03-23 to 2026-03-30"
    assert one.lines == ("all of 1 Applications are as Git says",)
    assert one.key != two.key
