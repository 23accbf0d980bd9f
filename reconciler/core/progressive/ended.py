"""AnalysisRuns that somebody ended. Argo Rollouts takes that for a success, Dispatch does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.core.health.fields import Malformed, flag, integer, items, text, value

_HASH = "rollouts-pod-template-hash"
_TYPE = "rollout-type"
_STEP = "step-index"
_ENDED = "Run Terminated"
"""The message of a run that was ended while nothing was wrong with it (assessRunStatus in analysis/analysis.go)."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def ended_by_hand(rollout: Mapping[str, Any], runs: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of the runs of this Rollout's newest version that somebody ended, and that count: what `see` is told.

    `runs` must hold all AnalysisRuns with the label `rollouts-pod-template-hash` of that version, others do no harm.
    Left out are: runs that the controller itself ended (it ends those that it needs no longer, under its own field
    manager); runs that had their result before; and, because a version that is tried again keeps its hash and its
    steps, runs that a later one of the same step has replaced, and runs of a step that is still to come.

    A run or a Rollout that cannot be read names nothing.
    """
    try:
        wanted = (text(rollout, "metadata", "uid"), text(rollout, "status", "currentPodHash"))
        step = integer(rollout, "status", "currentStepIndex")
    except Malformed:
        return ()
    newest: dict[tuple[str, str], tuple[datetime, int, Mapping[str, Any]]] = {}
    for run in runs:
        try:
            if (_owner(run), _label(run, _HASH)) != wanted or not all(wanted):
                continue
            question = (_label(run, _TYPE), _label(run, _STEP))
            age = (*_age(run), run)
        except Malformed:
            continue
        if question not in newest or newest[question][:2] < age[:2]:
            newest[question] = age
    last = (run for (_, index), (_, _, run) in sorted(newest.items()) if not index.isdigit() or int(index) <= step)
    return tuple(text(run, "metadata", "name") for run in last if _by_hand(run))


def _by_hand(run: Mapping[str, Any]) -> bool:
    try:
        if not flag(run, "spec", "terminate"):
            return False
        phase, message = text(run, "status", "phase"), text(run, "status", "message")
        ended = phase in ("", "Pending", "Running") or (phase == "Successful" and message == _ENDED)
        # The controller's manager is the name of its process, whatever that is: it is the one that made the run.
        return ended and not _managers(run, "f:terminate") & _managers(run, "f:metrics")
    except Malformed:
        return False


def _managers(run: Mapping[str, Any], field: str) -> set[str]:
    """The field managers that own `spec.<field>`."""
    writes = items(run, "metadata", "managedFields")
    return {text(write, "manager") for write in writes if value(write, "fieldsV1", "f:spec", field) is not None}


def _owner(run: Mapping[str, Any]) -> str:
    owners = items(run, "metadata", "ownerReferences")
    return next((text(owner, "uid") for owner in owners if flag(owner, "controller")), "")


def _label(run: Mapping[str, Any], name: str) -> str:
    return text(run, "metadata", "labels", name)


def _age(run: Mapping[str, Any]) -> tuple[datetime, int]:
    """When it was made, and which try its name says that it is: two may be made in the same second."""
    name = text(run, "metadata", "name")
    _, dot, attempt = name.rpartition(".")
    try:
        made = datetime.fromisoformat(text(run, "metadata", "creationTimestamp")).astimezone(UTC)
    except (ValueError, OverflowError):
        made = _BEGINNING
    return made, int(attempt) if dot and attempt.isdigit() and len(attempt) < 10 else 0
