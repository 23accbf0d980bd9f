"""How long ago something was, as kubectl writes it."""

from __future__ import annotations

from datetime import UTC, datetime


def age(since: datetime | str | None, now: datetime) -> str:
    """`12s`, `5m`, `3h20m`, `4d`: at most two units, the smaller one only while it tells something; empty for None.

    A time that is still to come (clocks differ) is `0s`.
    """
    at = moment(since)
    if at is None:
        return ""
    seconds = max(int((now - at).total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 2:
        return f"{seconds}s"
    if hours < 3:
        return f"{minutes}m"
    if days < 2:
        return f"{hours}h" + (f"{minutes % 60}m" if hours < 8 and minutes % 60 else "")
    if days < 8 and hours % 24:
        return f"{days}d{hours % 24}h"
    return f"{days}d"


def moment(text: datetime | str | None) -> datetime | None:
    """A time as a document carries it (RFC 3339); None for what is not there or is no time."""
    if isinstance(text, datetime) or not text:
        return text or None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def stamp(at: datetime | str | None) -> str:
    """`2026-11-23 16:28:01Z`, the same in every time zone; empty for None."""
    known = moment(at)
    return known.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if known else ""
