"""What a pull request of a promotion says, gathered from Git, the renderer and the cluster, and told on the forge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.promotion import images_of, last_source
from reconciler.core.promotion_facts import Facts
from reconciler.core.promotion_text import Commits, Story, body
from reconciler.engine import promotion_outlook, proposals
from reconciler.engine.proposals import Place
from reconciler.engine.stages.render import request
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.outcome import StageError
from reconciler.model.promotion import EnvironmentState, GateState
from reconciler.model.rollout import Verdict
from reconciler.ports import CommitStatuses

_STATUSES = {Verdict.PASS.value: "success", Verdict.FAIL.value: "failure"}


@dataclass(frozen=True, slots=True)
class Road:
    """`promotion` is namespace/name, `origin` the Application of the environment before, `to` where it leads."""

    promotion: str
    origin: Application
    to: Place


def title(world: World, road: Road, change: str) -> str:
    """The first line of the commit."""
    return world.source.message(road.to.seen.remote, change).partition("\n")[0]


def text(world: World, road: Road, facts: Facts, state: EnvironmentState) -> str:
    """The description of the pull request, in Markdown."""
    to = road.to
    after = proposals.objects(world, to.application, world.source.tree(to.seen.remote, facts.change))
    outlook = promotion_outlook.ahead(world, to.application, to.before, after, facts.change)
    story = Story(
        source=facts.source.name,
        target=facts.target.name,
        commit=state.source,
        subject=world.source.subject(to.seen.remote, state.source),
        running=images_of(each.document for each in to.before),
        coming=facts.candidate.images,
        files=[*facts.candidate.files],
        gates=state.gates,
        asked=facts.target.gates,
        earliest=state.earliest,
        commits=_commits(world, road, state),
        predictions=outlook.predictions,
        changes=outlook.changes,
        origin=outlook.origin,
        rest=_rest(to),
    )
    return body(story)


def say(statuses: CommitStatuses, commit: str, gates: Sequence[GateState]) -> None:
    """A commit status for each gate: a forge's branch protection may ask for it."""
    for gate in gates:
        statuses.set(commit, f"dispatch/{gate.gate}", _STATUSES.get(gate.verdict, "pending"), gate.evidence)


def _commits(world: World, road: Road, state: EnvironmentState) -> Commits:
    """What happened in the folder of the environment before since the promotion before this one. It is told where it
    can be: a history that cannot be read stops no promotion.
    """
    to = road.to
    remote = to.seen.remote
    try:
        past = world.source.history(remote, to.head, "", to.folder)
        since = last_source((each.message for each in past), road.promotion)
        return Commits(since, world.source.history(remote, state.source, since, request(road.origin).path))
    except StageError as error:
        return Commits(unknown=error.message)


def _rest(to: Place) -> str:
    """How somebody sees the objects for which there is no room."""
    where = f"`{to.folder}`" if to.folder else "the whole repository"
    return f"The changed files of this pull request have all of it; so has `dispatch diff` of {where} on its branch."
