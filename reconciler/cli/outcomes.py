"""What a status says about a sync that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from reconciler.cli.applications import condition, short_revision, status
from reconciler.cli.table import one_line

_STALE = 15.0
"""Seconds after which a failure that was there before the sync, and still is, is taken as its answer: the controller
writes a status only when it changes, and the same failure twice is no change."""


class Outcome(NamedTuple):
    """`done` is None while there is something to wait for; `seen` is true once a controller has taken up the wish."""

    done: bool | None
    line: str
    seen: bool


def judge(document: Mapping[str, Any], token: str, before: Mapping[str, Any], waited: float) -> Outcome:
    """`before` is the Application when it was asked, `waited` how long ago that was, in seconds."""
    now, ready = dict(document), condition(dict(document), "Ready")
    handled = status(now, "handledSync") == token
    seen = handled or now.get("status") != before.get("status")
    observed = int(ready.get("observedGeneration", 0)) >= int(now["metadata"].get("generation", 0))
    line = _line(now, ready)
    if handled and observed and ready.get("status") == "True":
        return Outcome(True, line, seen)
    stalled = condition(now, "Stalled").get("status") == "True"
    fresh = handled or ready != condition(dict(before), "Ready") or waited >= _STALE
    reconciling = condition(now, "Reconciling").get("status") == "True"
    failed = ready.get("status") == "False" and (stalled or (handled and not reconciling))
    if failed and fresh:
        return Outcome(False, line, seen)
    return Outcome(None, line if seen else "waiting for the controller", seen)


def _line(document: dict[str, Any], ready: Mapping[str, Any]) -> str:
    """`Synced, Healthy at main@0123456789: applied ...`."""
    words = f"{status(document, 'sync') or 'Unknown'}, {status(document, 'health') or 'Unknown'}"
    revision = short_revision(status(document, "applied", "revision") or "")
    message = one_line(str(ready.get("message", "")))
    reason = str(ready.get("reason", ""))
    why = "" if reason == "ReconciliationSucceeded" else f": {reason}: {message}" if message else ""
    return f"{words}{f' at {revision}' if revision else ''}{why}"
