"""The status of an Application after a run: a function of the one before, what the run learnt, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from reconciler.core.conditions import conditions
from reconciler.engine.progress import Act, Progress
from reconciler.engine.remembered import shown
from reconciler.engine.verdict import Verdict
from reconciler.engine.walked import queued, rollouts, walked
from reconciler.model.application import (
    ApplicationStatus,
    AppliedRevision,
    DriftEntry,
    HistoryEntry,
    ObjectHealth,
    SyncState,
)
from reconciler.model.drift import Drift
from reconciler.model.health import Level, worst
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import Reason, StageError, Terminal

_HISTORY = 10
_DRIFT = 20
_UNHEALTHY = 10
_TEXT = 200


def application_status(
    before: ApplicationStatus, progress: Progress, error: StageError | None, overdue: bool, now: datetime
) -> ApplicationStatus:
    """`overdue` is true when the revision has had its `sync.timeout` to become Healthy. Times change only with what
    they date, so an unchanged world gives an equal status.
    """
    attempted = _attempted(before, progress, now)
    verdict = _failed(error) if error is not None else _judge(progress, attempted, overdue)
    observed = error is None
    levels = [health.level for health in progress.health.values()]
    return ApplicationStatus(
        observed_generation=progress.generation,
        conditions=conditions(
            before.conditions,
            ready=verdict.ready,
            reason=verdict.reason,
            message=verdict.message,
            generation=progress.generation,
            now=now,
            reconciling=verdict.reconciling,
            stalled=verdict.stalled,
        ),
        sync=_sync(progress, error),
        health=worst(levels) if observed else before.health,
        objects=progress.objects if observed else before.objects,
        attempted=attempted,
        applied=_applied(before, progress, now),
        tool=progress.rendered.tool if progress.rendered else before.tool,
        unhealthy=_unhealthy(progress) if observed else before.unhealthy,
        drift=_drift(before, progress, now) if progress.compared else before.drift,
        hooks_not_run=progress.rendered.hooks if progress.rendered else before.hooks_not_run,
        rollouts=rollouts(progress) if observed else before.rollouts,
        queued=queued(progress) if observed else before.queued,
        revert=progress.revert or before.revert,
        **(shown(progress.ledger) if observed else {"promoted": before.promoted, "vetoes": before.vetoes}),
        history=_history(before, progress, error, now),
        handled_sync=progress.token if progress.complete or isinstance(error, Terminal) else before.handled_sync,
    )


def _failed(error: StageError) -> Verdict:
    stalled = isinstance(error, Terminal)
    return Verdict(False, error.reason, error.message, reconciling=not stalled, stalled=stalled)


def _judge(progress: Progress, attempted: AppliedRevision | None, overdue: bool) -> Verdict:
    """The revision that is told is the one that last changed something here, not the newest commit elsewhere."""
    level = worst(health.level for health in progress.health.values())
    revision = attempted.revision if attempted else ""
    unwell = [(id, health) for id, health in progress.health.items() if health.level is not Level.HEALTHY]
    why = "; ".join(f"{id}: {health.message or health.level}" for id, health in unwell[:3])
    if progress.fights:
        drift = progress.fights[0]
        return Verdict(
            False,
            Reason.DRIFT_FIGHT,
            f"{drift.manager or 'another manager'} keeps changing {drift.path or 'the object'} of {drift.id}: "
            "it was put back more than 5 times in 10 minutes, and is left alone now. Stop the other writer, "
            "take the field out of Git, or name it in spec.drift.ignore",
        )
    if progress.pending:
        names = ", ".join(str(id) for id in progress.pending[:3])
        text = f"{len(progress.pending)} objects differ from {revision} ({names}): run `dispatch sync`"
        return Verdict(level is Level.HEALTHY, Reason.OUT_OF_SYNC, text)
    if (on_its_way := walked(progress, revision)) is not None:
        return on_its_way
    if level in (Level.DEGRADED, Level.UNKNOWN):
        return Verdict(False, Reason.DEGRADED, f"{revision}: {why}")
    if progress.waiting_for or level is not Level.HEALTHY:
        names = ", ".join(str(id) for id in progress.waiting_for[:3])
        text = f"{revision}: the next wave waits for {names}" if progress.waiting_for else f"{revision}: {why}"
        if overdue:
            return Verdict(False, Reason.TIMEOUT, f"not Healthy within spec.sync.timeout; {text}")
        return Verdict(None, Reason.PROGRESSING, text, reconciling=True)
    left = _uncorrected(progress)
    if left:
        text = f"{len(left)} fields differ from {revision}, by {_authors(left)}: spec.drift.correct is off"
        return Verdict(True, Reason.DRIFT_DETECTED, text)
    return Verdict(True, Reason.SUCCEEDED, f"applied {revision}")


def _sync(progress: Progress, error: StageError | None) -> SyncState:
    if error is not None or not (progress.compared or progress.waiting_for):
        return SyncState.UNKNOWN
    out = progress.waiting_for or progress.pending or progress.admission.stay or _uncorrected(progress)
    return SyncState.OUT_OF_SYNC if out else SyncState.SYNCED


def _uncorrected(progress: Progress) -> list[Drift]:
    return [drift for drift in progress.drift if drift not in progress.corrected]


def _authors(drifts: Sequence[Drift]) -> str:
    return ", ".join(sorted({drift.manager or "somebody" for drift in drifts}))


def _attempted(before: ApplicationStatus, progress: Progress, now: datetime) -> AppliedRevision | None:
    """Dated by its digest: a commit that renders the same objects is not a new attempt."""
    if progress.revision is None:
        return before.attempted
    digest = progress.rendered.digest if progress.rendered else ""
    old = before.attempted
    if old is not None and old.digest == digest and (digest or old.revision == str(progress.revision)):
        return old
    return AppliedRevision(revision=str(progress.revision), digest=digest, at=now)


def _applied(before: ApplicationStatus, progress: Progress, now: datetime) -> AppliedRevision | None:
    if not progress.complete or progress.rendered is None:
        return before.applied
    if before.applied is not None and before.applied.digest == progress.rendered.digest:
        return before.applied
    return AppliedRevision(revision=str(progress.revision), digest=progress.rendered.digest, at=now)


def _unhealthy(progress: Progress) -> tuple[ObjectHealth, ...]:
    return tuple(
        ObjectHealth(object=str(id), level=health.level, message=health.message[:_TEXT])
        for id, health in progress.health.items()
        if health.level is not Level.HEALTHY
    )[:_UNHEALTHY]


def _drift(before: ApplicationStatus, progress: Progress, now: datetime) -> tuple[DriftEntry, ...]:
    """What differs now, then what was put back before, the newest first."""
    known = {(entry.object, entry.field, entry.live): entry for entry in before.drift if entry.corrected is None}
    fresh = []
    for drift in progress.drift:
        entry = _drift_entry(drift, now, now if drift in progress.corrected else None)
        old = known.get((entry.object, entry.field, entry.live))
        fresh.append(entry if old is None else entry.model_copy(update={"seen": old.seen}))
    past = [entry for entry in before.drift if entry.corrected is not None]
    return tuple([*fresh, *past][:_DRIFT])


def _drift_entry(drift: Drift, now: datetime, corrected: datetime | None) -> DriftEntry:
    return DriftEntry(
        object=str(drift.id),
        field=drift.path,
        drift=drift.kind.value,
        wanted=_text(drift.wanted),
        live=_text(drift.live),
        manager=drift.manager,
        operation=drift.operation,
        at=drift.at,
        seen=now,
        corrected=corrected,
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"


def _history(
    before: ApplicationStatus, progress: Progress, error: StageError | None, now: datetime
) -> tuple[HistoryEntry, ...]:
    acted = tuple(_act(progress, act, now) for act in reversed(progress.acted))
    entry = _entry(progress, error, now)
    if entry is None:
        return (*acted, *before.history)[:_HISTORY] if acted else before.history
    last = before.history[0] if before.history else None
    if last is not None and error is not None and (last.result, last.message) == (entry.result, entry.message):
        return before.history
    return (*acted, entry, *before.history)[:_HISTORY]


def _act(progress: Progress, act: Act, now: datetime) -> HistoryEntry:
    """What was done to a Rollout: its own line, with who wanted it."""
    return HistoryEntry(
        revision=str(progress.revision) if progress.revision else "",
        digest=progress.rendered.digest if progress.rendered else "",
        at=now,
        result=act.result,
        message=act.text[:1024],
    )


def _entry(progress: Progress, error: StageError | None, now: datetime) -> HistoryEntry | None:
    if error is None and not progress.wrote:
        return None
    if error is not None and not isinstance(error, Terminal) and not progress.wrote:
        return None
    result = "Failed" if error is not None else "Corrected" if progress.corrected else "Applied"
    return HistoryEntry(
        revision=str(progress.revision) if progress.revision else "",
        digest=progress.rendered.digest if progress.rendered else "",
        at=now,
        result=result,
        message=error.message[:1024] if error is not None else progress.subject,
        created=len(progress.created),
        changed=len(progress.changed),
        pruned=len(progress.pruned),
        seconds=round(sum(progress.seconds.values()), 3),
    )


def names(ids: Sequence[ObjectId], most: int = 3) -> str:
    """A few names and how many more: `ConfigMap/a/x, ConfigMap/a/y and 7 more`."""
    shown = ", ".join(str(id) for id in ids[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"
