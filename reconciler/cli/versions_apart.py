"""Where Git and the cluster differ because of a version on its way: no drift, and yet what a report must say."""

from __future__ import annotations

from typing import Any

from reconciler.cli.applications import entries, short_revision, status

ON_ITS_WAY, GIT_AHEAD = "on its way", "Git ahead"
OF_VERSIONS = frozenset({ON_ITS_WAY, GIT_AHEAD})
"""The classes of these rows; those of drift by hand are in model/drift.py."""
_ENDED = frozenset({"promoted", "failed", "abort"})
_HINT_BY_HAND = (
    "somebody put this version there past Git: revert in Git to keep it, or `dispatch sync` puts Git's back; "
    "after ten minutes Dispatch does"
)


def apart(application: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the drift report: a version on its way, one that was aborted, one that waits its turn."""
    metadata = application["metadata"]
    base = {"application": metadata["name"], "namespace": metadata.get("namespace", "")}
    rows = [{**base, **row} for entry in entries(application, "rollouts") if (row := _rollout(application, entry))]
    queued = status(application, "queued")
    if isinstance(queued, dict) and queued.get("revision"):
        name = f"Application/{base['namespace']}/{base['application']}"
        wanted, live = short_revision(queued["revision"]), str(queued.get("running", ""))[:10]
        rows.append({**base, **_row(name, GIT_AHEAD, wanted, live, queued.get("message", ""))})
    return rows


def hint(field: str, corrected: Any) -> str:
    """What to do about a field that was changed by hand; empty where Dispatch puts it back by itself."""
    by_hand = corrected is None and field.startswith(("/spec/template", "/spec/paused"))
    return _HINT_BY_HAND if by_hand else ""


def _rollout(application: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any] | None:
    decision, name = entry.get("decision", ""), entry.get("object", "")
    new, old = str(entry.get("revision", ""))[:10], str(status(application, "promoted", "revision") or "")[:10]
    if decision in ("failed", "abort"):
        return _row(name, GIT_AHEAD, new, old, entry.get("message", ""))
    if decision in _ENDED or not decision or new == old:
        return None
    return _row(name, ON_ITS_WAY, new, old, entry.get("message", ""))


def _row(name: str, kind: str, wanted: str, live: str, words: str) -> dict[str, Any]:
    times = {"at": None, "seen": None, "corrected": None}
    return {
        "object": name,
        "field": "/spec/template",
        "class": kind,
        "wanted": wanted,
        "live": live,
        "manager": "",
        "operation": "",
        **times,
        "hint": words,
    }
