"""The part of an Application's status that tells of versions on their way."""

from __future__ import annotations

from reconciler.engine.progress import Progress, Rolled
from reconciler.engine.verdict import Verdict
from reconciler.model.application_status import QueuedRevision, RolloutState
from reconciler.model.outcome import Reason
from reconciler.model.rollout import Phase, Verb

_STANDS = {
    Verb.FAILED: (False, Reason.ROLLOUT_ABORTED),
    Verb.ABORT: (False, Reason.ROLLOUT_ABORTED),
    Verb.HOLD: (None, Reason.ROLLOUT_PAUSED),
    Verb.WAIT: (None, Reason.ROLLING_OUT),
    Verb.RELEASE: (None, Reason.ROLLING_OUT),
    Verb.PROMOTE_FULL: (None, Reason.ROLLING_OUT),
    Verb.RETRY: (None, Reason.ROLLING_OUT),
}
"""What a decision means for `Ready`; the order is that of urgency."""


def walked(progress: Progress, revision: str) -> Verdict | None:
    """The most urgent of the Rollouts that are on their way; None when none is."""
    order = list(_STANDS)
    moving = [rolled for rolled in progress.rolled if rolled.decision.verb in _STANDS]
    if not moving:
        return None
    first = min(moving, key=lambda rolled: (not _broken(rolled), order.index(rolled.decision.verb)))
    ready, reason = _STANDS[first.decision.verb]
    if _broken(first):
        ready, reason = False, Reason.DEGRADED
    text = f"{revision}: {first.id.name}: {first.decision.told}"
    if progress.revert is not None and ready is False:
        text += f"; {progress.revert.message}"
    return Verdict(ready, reason, text, reconciling=ready is None)


def _broken(rolled: Rolled) -> bool:
    """It stands, and not because it waits for a person's word: Git must mend it (a refused spec, a first version whose
    pods never got ready).
    """
    return rolled.decision.verb is Verb.HOLD and rolled.seen.phase is Phase.DEGRADED


def rollouts(progress: Progress) -> tuple[RolloutState, ...]:
    """One entry a Rollout."""
    return tuple(
        RolloutState(
            object=str(rolled.id),
            revision=rolled.commit,
            template=rolled.template,
            pod_hash=rolled.seen.pod_hash,
            phase=rolled.seen.phase.value,
            step=rolled.seen.step,
            steps=rolled.seen.steps,
            decision=rolled.decision.verb.value,
            message=rolled.decision.told,
        )
        for rolled in progress.rolled
    )


def queued(progress: Progress) -> QueuedRevision | None:
    """The revision that Git has and the run did not take up; None when it did."""
    if not progress.admission.stay or progress.target is None or progress.revision is None:
        return None
    return QueuedRevision(
        revision=str(progress.target),
        running=progress.revision.commit,
        reason=progress.admission.reason.value,
        message=progress.admission.why,
    )
