"""The report of drift: when it is due, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from reconciler.core.notices import drift_lines
from reconciler.model.application_status import ApplicationStatus
from reconciler.model.notice import Notice, NoticeEvent, Subject
from reconciler.model.notifier import DriftReportTime
from reconciler.model.outcome import Reason, Terminal

_FEWEST_SECONDS = 1.0
_MINUTE = timedelta(minutes=1)


def due(time: DriftReportTime, now: datetime) -> tuple[datetime, float]:
    """The last time at which the schedule wanted a report, and the seconds until the next. Raises
    Terminal(INVALID_SPEC) for a schedule or a time zone that cannot be read."""
    try:
        local = now.astimezone(ZoneInfo(time.time_zone))
        # What is asked backwards is before the minute that is given: this minute must be in it.
        last = next(CronSim(time.schedule, (now + _MINUTE).astimezone(local.tzinfo), reverse=True))
        following = next(CronSim(time.schedule, local))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Terminal(Reason.INVALID_SPEC, f"spec.report.timeZone: there is no time zone {time.time_zone}") from None
    except (CronSimError, StopIteration):
        raise Terminal(
            Reason.INVALID_SPEC, f"spec.report.schedule: {time.schedule!r} is no time, or one that never comes"
        ) from None
    return last.astimezone(UTC), max((following - local).total_seconds(), _FEWEST_SECONDS)


def report(
    namespace: str, applications: Sequence[tuple[Subject, ApplicationStatus]], since: datetime, until: datetime
) -> Notice:
    """What drifted in the time, by Application, the most first; and how much of it is still there."""
    lines: list[tuple[int, str]] = []
    total = 0
    for about, status in applications:
        entries = [entry for entry in status.drift if entry.corrected is None or entry.corrected >= since]
        if not entries:
            continue
        open_ = sum(entry.corrected is None for entry in entries)
        total += len(entries)
        authors = ", ".join(sorted({entry.manager or "somebody" for entry in entries}))
        said = f"{about}: {_fields(len(entries))} by {authors}, {open_ or 'none'} of them still there"
        # More are not kept in a status: then it is a lower bound.
        lines.append((len(entries), said.replace(": ", ": at least ", 1) if len(status.drift) >= 20 else said))
        lines += [(len(entries), line) for line in drift_lines(entries[:3])]
    if not lines:
        lines = [(0, f"all of {len(applications)} Applications are as Git says")]
    days = f"{since:%Y-%m-%d} to {until:%Y-%m-%d}"
    title = f"Drift from {days}: {_fields(total)} of {len(applications)} Applications" if total else f"No drift, {days}"
    ordered = sorted(lines, key=lambda line: -line[0])
    topic = f"report {until:%Y-%m-%dT%H:%M}"
    said_lines = tuple(line for _, line in ordered)
    return Notice(NoticeEvent.DRIFT_REPORT, Subject(namespace, ""), "", title, said_lines, topic=topic)


def _fields(count: int) -> str:
    return f"{count} field{'' if count == 1 else 's'}"
