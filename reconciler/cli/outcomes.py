"""What a status says about a sync that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from reconciler.cli.applications import condition, short_revision, status
from reconciler.cli.table import one_line


class Outcome(NamedTuple):
    """`done` is None while there is something to wait for; `seen` is true once a controller has taken up the wish."""

    done: bool | None
    line: str
    seen: bool


def judge(document: Mapping[str, Any], token: str, before: Mapping[str, Any]) -> Outcome:
    """`before` is the Application when it was asked. The controller writes the token back when it has carried the
    wish out, or has found that it cannot be carried out.
    """
    now, ready = dict(document), condition(dict(document), "Ready")
    handled = status(now, "handledSync") == token
    seen = handled or now.get("status") != before.get("status")
    observed = int(ready.get("observedGeneration", 0)) >= int(now["metadata"].get("generation", 0))
    line = _line(now, ready) if seen else "waiting for the controller"
    if not (handled and observed):
        return Outcome(None, line, seen)
    reconciling = condition(now, "Reconciling").get("status") == "True"
    failed = ready.get("status") == "False" and not reconciling
    return Outcome(True if ready.get("status") == "True" else False if failed else None, line, seen)


def _line(document: dict[str, Any], ready: Mapping[str, Any]) -> str:
    """`Synced, Healthy at main@0123456789: applied ...`."""
    words = f"{status(document, 'sync') or 'Unknown'}, {status(document, 'health') or 'Unknown'}"
    revision = short_revision(status(document, "applied", "revision") or "")
    message = one_line(str(ready.get("message", "")))
    reason = str(ready.get("reason", ""))
    why = "" if reason == "ReconciliationSucceeded" else f": {reason}: {message}" if message else ""
    return f"{words}{f' at {revision}' if revision else ''}{why}"
