"""What is worth telling of a run: the Kubernetes events of an Application, and the log lines with the same words."""

from __future__ import annotations

from typing import NamedTuple

from reconciler.engine.progress import Progress
from reconciler.engine.status import names
from reconciler.model.application import ApplicationStatus
from reconciler.model.drift import Drift, DriftClass
from reconciler.model.health import Level
from reconciler.model.outcome import Reason, StageError

_WARNED = frozenset({Reason.ROLLOUT_ABORTED, Reason.REVERT_FAILED, Reason.FORGE_DENIED, Reason.MERGE_BLOCKED})


class Note(NamedTuple):
    """One event: `warning` tells its type, `reason` and `message` are the event's own."""

    warning: bool
    reason: Reason
    message: str


def notes(
    before: ApplicationStatus, after: ApplicationStatus, progress: Progress, error: StageError | None
) -> list[Note]:
    """Only news: what `after` says that `before` did not, and what the run wrote."""
    found = []
    revision = str(progress.revision) if progress.revision else ""
    put_back = {drift.id for drift in progress.corrected}
    for drift in progress.drift:
        if not _listed(before, drift):
            found.append(Note(True, Reason.DRIFT_DETECTED, describe(drift)))
    for drift in progress.corrected:
        found.append(Note(False, Reason.DRIFT_CORRECTED, f"put back {drift.path or 'the object'} of {drift.id}"))
    created = [id for id in progress.created if id not in put_back]
    changed = [id for id in progress.changed if id not in put_back]
    if created or changed:
        parts = [f"{word} {names(ids)}" for word, ids in (("created", created), ("changed", changed)) if ids]
        found.append(Note(False, Reason.PROGRESSING, f"{revision}: {'; '.join(parts)}"))
    if progress.pruned:
        found.append(Note(False, Reason.PRUNED, f"{revision}: deleted {names(progress.pruned)}, which left Git"))
    found += [Note(act.warning, act.reason, act.text) for act in progress.acted]
    found += [Note(reason in _WARNED, reason, text) for reason, text in progress.told]
    if (why := progress.admission.why) and (before.queued is None or before.queued.message != why):
        found.append(Note(bool(progress.admission.stay), progress.admission.reason, why))
    if error is not None:
        if _ready(before) != (error.reason, error.message):
            found.append(Note(True, error.reason, error.message))
    elif after.health is not before.health or _ready(before)[0] != _ready(after)[0]:
        found.append(Note(after.health is Level.DEGRADED or bool(progress.fights), *_ready(after)))
    return found


def describe(drift: Drift) -> str:
    """One sentence: what, by whom, when. Values are in the status, where Secrets are masked."""
    by = f" by {drift.manager}" if drift.manager else ""
    at = f" at {drift.at:%Y-%m-%dT%H:%M:%SZ}" if drift.at else ""
    if drift.kind is DriftClass.MISSING and not drift.path:
        return f"{drift.id} was deleted from the cluster"
    values = f" (Git {drift.wanted!r}, live {drift.live!r})" if drift.kind is DriftClass.CHANGED else ""
    return f"{drift.path} of {drift.id} is {drift.kind.value}{by}{at}{values}"


def _listed(status: ApplicationStatus, drift: Drift) -> bool:
    return any(
        entry.object == str(drift.id) and entry.field == drift.path and entry.corrected is None
        for entry in status.drift
    )


def _ready(status: ApplicationStatus) -> tuple[Reason, str]:
    for condition in status.conditions:
        if condition.type == "Ready":
            return Reason(condition.reason), condition.message
    return Reason.PROGRESSING, ""
