"""Stage 4: the writes of one stage, after all of it has passed the dry-run."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.desired import Wanted
from reconciler.core.drift import removals
from reconciler.core.fight import fighting
from reconciler.core.refusals import explain
from reconciler.engine.memory import Memory
from reconciler.engine.progress import Progress
from reconciler.engine.stages.compare import Comparison, gather
from reconciler.engine.stages.render import Goal
from reconciler.engine.stages.send import abandon, send
from reconciler.engine.world import World
from reconciler.model.application import DriftPolicy
from reconciler.model.change import Action, Change, Refusal
from reconciler.model.drift import Drift
from reconciler.model.outcome import Reason, StageError, Transient

_TRUCE = 60.0
"""Seconds between two looks at a fight: it ends when the last ten minutes held few enough corrections."""


_GRACE = 600.0
"""Seconds for which a version that somebody put into the cluster past Git (`kubectl argo rollouts undo`, a pause by
hand) is reported only: to put Git's back would walk the version out again that somebody has just fled from.
"""
_WALKED = ("/spec/template", "/spec/strategy", "/spec/paused", "/spec/restartAt")


def apply(world: World, memory: Memory, progress: Progress, goal: Goal, comparison: Comparison) -> None:
    """Write what Git changed. Raises the refusals; what was written stays and is taken up by the next run."""
    changes = comparison.changes
    if not changes:
        return
    abandon(world)
    for _, change in changes:
        if change.action is Action.REPLACE:
            _remove(world, change, next(w for w, c in changes if c is change))
    for part in _in_turn(goal, changes):
        _send(world, memory, progress, part)


def _in_turn(goal: Goal, changes: Sequence[tuple[Wanted, Change]]) -> list[list[tuple[Wanted, Change]]]:
    """A Rollout after what it refers to, for one that finds no AnalysisTemplate is invalid and is not looked at again
    when it comes; and a new pod template after the Rollout's new steps, which would start a running version anew.
    """
    rollouts = frozenset(goal.rollouts.values())
    parts: dict[int, list[tuple[Wanted, Change]]] = {}
    for wanted, change in changes:
        moved = wanted.id in goal.carriers and wanted.id not in rollouts and change.action is Action.UPDATE
        parts.setdefault(2 if moved else 1 if wanted.id in rollouts else 0, []).append((wanted, change))
    return [parts[turn] for turn in sorted(parts)]


def correct(
    world: World, policy: DriftPolicy, memory: Memory, progress: Progress, goal: Goal, comparison: Comparison
) -> None:
    """Put back what somebody changed, unless the policy only reports (and nobody asked by hand), a fight is on, or it
    is a version that a person has just chosen.
    """
    mended: list[tuple[Wanted, Change, tuple[Drift, ...]]] = []
    now = world.clock.monotonic()
    for wanted, change, drifts in comparison.drifted:
        progress.drift.extend(drifts)
        if not (policy.correct or progress.asked) or _chosen_lately(world, goal, progress, wanted, drifts):
            continue
        fought = [drift for drift in drifts if fighting(memory.times(drift.id, drift.path), now)]
        if fought:
            progress.fights.extend(fought)
            progress.look_again = _TRUCE
            continue
        for drift in drifts:
            memory.corrected(drift.id, drift.path, now)
        mended.append((wanted, change, drifts))
    if mended:
        abandon(world)
        _put_back(world, memory, progress, mended)


def _put_back(
    world: World,
    memory: Memory,
    progress: Progress,
    mended: Sequence[tuple[Wanted, Change, tuple[Drift, ...]]],
) -> None:
    """One object that cannot be mended does not keep the others from it; what was not done is not told as done."""
    errors: list[StageError] = []
    ready: list[tuple[Wanted, Change, tuple[Drift, ...]]] = []
    for found in mended:
        error = _take_out(world, found[0], found[2])
        if error is None:
            ready.append(found)
        else:
            errors.append(error)
    _send(world, memory, progress, [(wanted, change) for wanted, change, _ in ready])
    progress.corrected.extend(drift for _, _, drifts in ready for drift in drifts)
    if errors:
        raise gather(errors)


def _chosen_lately(world: World, goal: Goal, progress: Progress, wanted: Wanted, drifts: Sequence[Drift]) -> bool:
    if progress.asked or not (wanted.id in goal.carriers or wanted.id in goal.rollouts.values()):
        return False
    chosen = [drift.at for drift in drifts if drift.path.startswith(_WALKED) and drift.at is not None]
    left = _GRACE - (world.clock.now() - max(chosen)).total_seconds() if chosen else 0.0
    if left > 0:
        progress.soon(left)
    return left > 0


def _send(world: World, memory: Memory, progress: Progress, changes: Sequence[tuple[Wanted, Change]]) -> None:
    errors: list[StageError] = []
    for wanted, change in changes:
        if change.owning is not None:
            (owned,) = send(world, [(wanted.resource, change.owning)])
            if isinstance(owned, Refusal):
                errors.append(explain(owned, wanted.manifest, wanted.id))
    objects = [(wanted.resource, change.manifest.document) for wanted, change in changes if change.manifest]
    answers = send(world, objects)
    for (wanted, change), answer in zip(changes, answers, strict=True):
        if isinstance(answer, Refusal):
            errors.append(explain(answer, wanted.manifest, wanted.id))
            continue
        world.live.observe(answer, agreed=wanted.digest)
        if memory.applied is not None:
            memory.applied[wanted.id] = wanted.digest
        if not change.version:
            progress.created.append(wanted.id)
        elif change.version != answer["metadata"]["resourceVersion"]:
            progress.changed.append(wanted.id)
    if errors:
        raise gather(errors)


def _take_out(world: World, wanted: Wanted, drifts: Sequence[Drift]) -> StageError | None:
    """Fields that a person added are not ours to apply away: they are taken out by a guarded JSON Patch. The answer is
    why that failed, if it did."""
    entry = world.live.get(wanted.id)
    if entry is None:
        return None
    live = world.cluster.read(wanted.resource, wanted.id.namespace, wanted.id.name)
    patch = removals(drifts, live) if live is not None else []
    if patch:
        answer = world.cluster.patch(wanted.resource, wanted.id.namespace, wanted.id.name, patch)
        if isinstance(answer, Refusal):
            return explain(answer, wanted.manifest, wanted.id)
    return None


def _remove(world: World, change: Change, wanted: Wanted) -> None:
    """Delete the object that cannot be changed; the create follows once it is gone, in this run or the next."""
    entry = world.live.get(change.id)
    uid = entry.uid if entry is not None else change.uid
    (answer,) = world.cluster.delete([(wanted.resource, change.id.namespace, change.id.name, uid)])
    if isinstance(answer, Refusal):
        raise explain(answer, wanted.manifest, wanted.id)
    left = world.cluster.read(wanted.resource, change.id.namespace, change.id.name)
    if left is not None and left["metadata"]["uid"] == uid:
        raise Transient(Reason.PROGRESSING, f"{change.id}: waiting until the replaced object is gone")
    world.live.remove(change.id, uid)
