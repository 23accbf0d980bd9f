"""What is said of a pull request: by people, by CI, and once it was merged, by what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.core.landing import Landed, reviews_until
from reconciler.core.promotion_facts import Facts
from reconciler.engine import proposals
from reconciler.engine.proposals import Place
from reconciler.engine.world import World
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.promotion import PromotionEnvironment
from reconciler.model.pull_request import last_words
from reconciler.ports import CommitStatuses, Forge, PullRequest, Review, Team


def opinions(
    forge: Forge, statuses: CommitStatuses | None, target: PromotionEnvironment, request: PullRequest
) -> tuple[Sequence[Review] | None, Mapping[str, str] | None, Mapping[str, Team]]:
    """The reviews of a pull request, the checks of its head, and who is in the teams whose members may have reviewed
    it, as far as a gate asks for them."""
    asked = {name for gate in target.gates for name in ("approvals", "checks") if getattr(gate, name)}
    reviews = forge.reviews(request.number) if "approvals" in asked else None
    checks = statuses.read(request.head_commit) if "checks" in asked and statuses is not None else None
    then = reviews_until(reviews, request.merged_at) or ()
    return reviews, checks, _teams(forge, target, last_words(then, request.author))


def _teams(forge: Forge, target: PromotionEnvironment, spoken: Sequence[Review]) -> dict[str, Team]:
    gates = [gate.approvals for gate in target.gates if gate.approvals is not None]
    asked = {team for gate in gates if gate.needs_teams(spoken) for team in gate.teams}
    return {team: _team(forge, team) for team in sorted(asked)}


def _team(forge: Forge, team: str) -> Team:
    """One that cannot be read closes its gate, and stops nothing else."""
    try:
        return Team(forge.members(team))
    except StageError as error:
        return Team(problem=error.message)


def landed(
    world: World, to: Place, forge: Forge, statuses: CommitStatuses | None, facts: Facts, request: PullRequest
) -> Landed | None:
    """What came of a pull request that was merged; None as long as the commit of the merge was not read."""
    merged = _merged(world, to, facts, request)
    return Landed(facts.known.digest, merged, *opinions(forge, statuses, facts.target, request)) if merged else None


def _merged(world: World, to: Place, facts: Facts, request: PullRequest) -> str:
    """The digest of what the merge renders; empty as long as its commit was not read."""
    try:
        return proposals.digest(world, to.applications, request.merge_commit, to.seen)
    except Terminal as error:
        if error.reason is not Reason.REF_NOT_FOUND:
            # What cannot be rendered is certainly not what was proposed.
            return f"none: {error.reason.value}"
        return "" if facts.candidate else proposals.digest(world, to.applications, to.head, to.seen)
