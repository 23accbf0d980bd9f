"""The gates `window` and `freeze`: times in which a merge may happen, and times in which it may not.

A time begins by the rules of cron and lasts for a duration, both in a time zone, daylight saving included: a start that
a change of the clock leaves out is that of the first moment after it (cronsim).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from reconciler.model.promotion import Window
from reconciler.model.rollout import Verdict

_AHEAD = timedelta(hours=3)
"""More than any clock is put back."""


def judge(window: Window, now: datetime) -> tuple[Verdict, str]:
    """Open while `now` is in the window."""
    try:
        until = ends(window, now)
        if until is not None:
            return Verdict.PASS, f"open until {_told(until, window)}{_because(window)}"
        return Verdict.WAIT, f"opens at {_told(begins(window, now), window)}{_because(window)}"
    except CronSimError as error:
        return Verdict.WAIT, f"the schedule {window.start!r} cannot be read: {error}"


def judge_freeze(freeze: Window, now: datetime) -> tuple[Verdict, str]:
    """Closed while `now` is in the freeze."""
    try:
        until = ends(freeze, now)
    except CronSimError as error:
        return Verdict.WAIT, f"the schedule {freeze.start!r} cannot be read: {error}"
    if until is not None:
        return Verdict.WAIT, f"frozen until {_told(until, freeze)}{_because(freeze)}"
    return Verdict.PASS, "no freeze now"


def ends(window: Window, now: datetime) -> datetime | None:
    """When the time that `now` is in ends, in UTC; None when it is in none. The newest start counts. Raises
    CronSimError."""
    # Between two times of one zone Python counts by the clock on the wall.
    now = now.astimezone(UTC)
    # From ahead, and by the moment: on the clock on the wall an hour that comes twice is before itself.
    ahead = (now + _AHEAD).astimezone(ZoneInfo(window.time_zone))
    starts = (each.astimezone(UTC) for each in CronSim(window.start, ahead, reverse=True))
    started = next((each for each in starts if each <= now), None)
    if started is None:
        return None
    ends = started + timedelta(seconds=window.duration)
    return ends if now < ends else None


def begins(window: Window, now: datetime) -> datetime:
    """When it begins next, after `now`. Raises CronSimError."""
    # In the hour that comes twice cronsim goes on from the clock on the wall, which may be back before `now`.
    times = CronSim(window.start, now.astimezone(ZoneInfo(window.time_zone)))
    found: datetime = next(each for each in times if each.astimezone(UTC) > now)
    return found


def _told(when: datetime, window: Window) -> str:
    return f"{when.astimezone(ZoneInfo(window.time_zone)):%Y-%m-%d %H:%M} {window.time_zone}"


def _because(window: Window) -> str:
    return f" ({window.reason})" if window.reason else ""
