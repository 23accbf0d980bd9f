"""Between render and plan: which revision the run works with. Git's own, unless a version on its way out forbids it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.progressive.admission import Admission, Candidate, admit
from reconciler.core.progressive.template import read_mark
from reconciler.engine.keys import Key
from reconciler.engine.memory import Memory
from reconciler.engine.progress import Progress
from reconciler.engine.remembered import remembered
from reconciler.engine.sources import Seen
from reconciler.engine.stages.fetch import repository_of
from reconciler.engine.stages.render import Goal, render
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import Blocked, Reason, Terminal
from reconciler.model.revision import Revision
from reconciler.model.strategy import Canary

ADMITTED = "rollout.dispatch.dev/admitted"
"""Annotation on an Application: the last commit that was let in, written before the first object of it is applied.

Not below `dispatch.dev/`: what is there is a user's wish, and wakes the Application.
"""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the run works with: `goal` at `revision`; and why, where that is not what Git's head wants."""

    revision: Revision
    goal: Goal
    admission: Admission


def choose(
    world: World, application: Application, memory: Memory, progress: Progress, target: Revision, goal: Goal
) -> Admitted:
    """Raises Terminal(VETOED) where a version may not start and there is no other to stay at."""
    if not goal.carriers:
        return Admitted(target, goal, Admission())
    seen = seen_source(world, application)
    progress.ledger = world.ledgers.read(progress.key, seen) or memory.unwritten or remembered(application.status)
    admission = admit(
        target.commit,
        [candidate(world, goal, id) for id in goal.carriers],
        policy(application).in_flight,
        progress.ledger,
        admitted=application.metadata.annotations.get(ADMITTED, ""),
        asked=progress.asked,
        blocked=_blocked(application),
    )
    if not admission.stay or admission.stay == target.commit:
        return Admitted(target, goal, admission)
    revision = Revision(target.ref, admission.stay)
    kept = _goal_at(world, application, memory, seen, revision)
    return Admitted(revision, kept, admission)


def policy(application: Application) -> Canary:
    """What the Application says of versions on their way out; the defaults for a Rollout of the folder's own."""
    section = application.spec.strategy.progressive
    shared = {name: getattr(section, name) for name in _SHARED} if section is not None else {}
    return Canary.model_construct(**{**_DEFAULTS, **shared})


_SHARED = ("on_failure", "revert_merge", "in_flight", "progress_deadline", "inconclusive_deadline", "rollback_window")
_DEFAULTS = {name: getattr(Canary(), name) for name in _SHARED}


def candidate(world: World, goal: Goal, id: ObjectId) -> Candidate:
    """One carrier of a pod template as Git wants it and as it is."""
    entry = world.live.get(id)
    template, commit = read_mark(entry.candidate) if entry is not None else ("", "")
    rollout = goal.rollouts.get(id)
    return Candidate(
        workload=id.name,
        wanted=goal.carriers[id],
        live=template,
        commit=commit,
        exists=entry is not None,
        rollout=world.live.rollout(rollout) if rollout is not None else None,
    )


def seen_source(world: World, application: Application) -> Seen:
    """What the remote was last seen to hold. Raises Blocked before the first look."""
    seen = world.sources.get(repository_of(application))
    if seen is None:
        raise Blocked(Reason.PROGRESSING, "waiting until the Repository was read", 60.0)
    return seen


def _goal_at(world: World, application: Application, memory: Memory, seen: Seen, revision: Revision) -> Goal:
    try:
        world.source.fetch(seen.remote, revision.commit, seen.refs)
    except Terminal as gone:
        raise Terminal(
            gone.reason,
            f"the version that runs came with commit {revision.short}, which Git has no more ({gone.message}): "
            "`dispatch sync` deploys what Git has now",
        ) from gone
    tree = world.source.tree(seen.remote, revision.commit)
    return render(world, application, tree, revision.commit, memory.goal)


def _blocked(application: Application) -> str:
    queued = application.status.queued
    if queued is None or queued.reason != Reason.REVISION_BLOCKED.value:
        return ""
    return queued.revision.rpartition(":")[2]


def record(world: World, application: Application, key: Key, commit: str) -> None:
    """Write down what was let in, before it is applied: whoever takes over stays at it."""
    if application.metadata.annotations.get(ADMITTED) == commit:
        return
    resource = world.cluster.resource(application.api_version, application.kind)
    if resource is None:
        return
    patch = {"metadata": {"annotations": {ADMITTED: commit}}}
    answer = world.cluster.patch(resource, key.namespace, key.name, patch)
    if isinstance(answer, dict):
        world.catalog.observe(answer)
