"""What a pull request of a promotion says, gathered from Git and the renderer, and told on the forge."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.promotion import images_of
from reconciler.core.promotion_decision import Facts
from reconciler.core.promotion_text import Story, body
from reconciler.engine import proposals
from reconciler.engine.proposals import Place
from reconciler.engine.world import World
from reconciler.model.promotion import EnvironmentState, GateState
from reconciler.model.rollout import Verdict
from reconciler.ports import CommitStatuses

_STATUSES = {Verdict.PASS.value: "success", Verdict.FAIL.value: "failure"}


def title(world: World, to: Place, change: str) -> str:
    """The first line of the commit."""
    return world.source.message(to.seen.remote, change).partition("\n")[0]


def text(world: World, to: Place, facts: Facts, state: EnvironmentState) -> str:
    """The description of the pull request, in Markdown."""
    after = proposals.objects(world, to.application, world.source.tree(to.seen.remote, facts.change))
    story = Story(
        source=facts.source.name,
        target=facts.target.name,
        commit=state.source,
        subject=world.source.subject(to.seen.remote, state.source),
        running=images_of(each.document for each in to.before),
        coming=facts.candidate.images,
        files=[*facts.candidate.files],
        gates=state.gates,
    )
    return body(story, to.before, after)


def say(statuses: CommitStatuses, commit: str, gates: Sequence[GateState]) -> None:
    """A commit status for each gate: a forge's branch protection may ask for it."""
    for gate in gates:
        statuses.set(commit, f"dispatch/{gate.gate}", _STATUSES.get(gate.verdict, "pending"), gate.evidence)
