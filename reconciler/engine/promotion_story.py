"""What a pull request of a promotion says, gathered from Git, the renderer and the cluster, and told on the forge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.promotion import Candidate, images_of, last_source
from reconciler.core.promotion_facts import Facts
from reconciler.core.promotion_text import Coming, Commits, Story, body, elsewhere
from reconciler.engine import promotion_outlook
from reconciler.engine.promotion_facts import Origins
from reconciler.engine.proposals import Place
from reconciler.engine.stages.render import request
from reconciler.engine.world import World
from reconciler.model.outcome import StageError
from reconciler.model.promotion import EnvironmentState, GateState
from reconciler.model.rollout import Verdict
from reconciler.ports import CommitStatuses

_STATUSES = {Verdict.PASS.value: "success", Verdict.FAIL.value: "failure"}


@dataclass(frozen=True, slots=True)
class Road:
    """`promotion` is namespace/name, `origins` the Applications of the environment before, `to` where it leads."""

    promotion: str
    origins: Origins
    to: Place


def title(world: World, to: Place, change: str) -> str:
    """The first line of the commit."""
    return world.source.message(to.seen.remote, change).partition("\n")[0]


def text(world: World, road: Road, facts: Facts, state: EnvironmentState) -> str:
    """The description of the pull request, in Markdown."""
    to = road.to
    outlook = promotion_outlook.whole(world, to, facts.change)
    story = Story(
        source=facts.source.name,
        target=facts.target.name,
        commit=state.source,
        subject=world.source.subject(to.seen.remote, state.source),
        coming=_coming(to, facts.candidate),
        files=[*facts.candidate.files],
        gates=state.gates,
        asked=facts.target.gates,
        earliest=state.earliest,
        commits=_commits(world, road, state),
        predictions=outlook.predictions,
        changes=outlook.changes,
        origin=outlook.origin,
        rest=_rest(to, facts),
    )
    return body(story)


def led(world: World, to: Place, facts: Facts, state: EnvironmentState, lead: str) -> str:
    """The description of a pull request that comes from no environment: `lead` is how it begins, in Markdown."""
    outlook = promotion_outlook.whole(world, to, facts.change)
    story = Story(
        source="",
        target=facts.target.name,
        commit="",
        subject="",
        coming=_coming(to, facts.candidate),
        files=(),
        gates=state.gates,
        asked=facts.target.gates,
        earliest=state.earliest,
        predictions=outlook.predictions,
        changes=outlook.changes,
        origin=outlook.origin,
        rest=_rest(to, facts),
        lead=lead,
    )
    return body(story)


def _coming(to: Place, found: Candidate) -> list[Coming]:
    """What each Application gets."""
    parts = found.each([each.name for each in to.members])
    return [
        Coming(member.name, images_of(each.document for each in member.before), part.images)
        for member, (_, part) in zip(to.members, parts, strict=True)
    ]


def say(statuses: CommitStatuses, commit: str, gates: Sequence[GateState]) -> None:
    """A commit status for each gate: a forge's branch protection may ask for it."""
    for gate in gates:
        statuses.set(commit, f"dispatch/{gate.gate}", _STATUSES.get(gate.verdict, "pending"), gate.evidence)


def _commits(world: World, road: Road, state: EnvironmentState) -> Commits:
    """What happened in the folders of the environment before since the promotion before this one. It is told where it
    can be: a history that cannot be read stops no promotion.
    """
    to = road.to
    remote = to.seen.remote
    try:
        past = world.source.history(remote, to.head, "", *(each.folder for each in to.members))
        since = last_source((each.message for each in past), road.promotion)
        folders = [request(each).path for each in road.origins]
        return Commits(since, world.source.history(remote, state.source, since, *folders))
    except StageError as error:
        return Commits(unknown=error.message)


def _rest(to: Place, facts: Facts) -> str:
    """A pull request that is being opened has no page yet."""
    request = facts.said.request if facts.said is not None else None
    return elsewhere([each.folder for each in to.members], request.changes if request is not None else "")
