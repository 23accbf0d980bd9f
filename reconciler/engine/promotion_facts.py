"""What can be told of an environment without its forge: for the controller's look, and for a replay from files."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.landing import tainted
from reconciler.core.promotion_decision import applied_commit, ready_since
from reconciler.core.promotion_facts import Facts
from reconciler.core.promotion_past import asked_of
from reconciler.engine import proposals
from reconciler.engine.keys import Key
from reconciler.engine.proposals import Place, Reading
from reconciler.engine.stages.fetch import repository_of
from reconciler.model.application import Application
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment
from reconciler.model.promotion_action import PromotionWish
from reconciler.ports import PullRequest


def ends(
    world: Reading, namespace: str, source: PromotionEnvironment, target: PromotionEnvironment
) -> tuple[Application, Place]:
    """The Application of the environment before, and the place of the one that it goes to.

    Raises Terminal(INVALID_SPEC) where one is missing or they read two Repositories, and as `proposals.place`.
    """
    origin, goal = _application(world, namespace, source), _application(world, namespace, target)
    if repository_of(origin) != repository_of(goal):
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{origin.metadata.name} and {goal.metadata.name} read two Repositories: both must be in one",
        )
    return origin, proposals.place(world, goal)


def gather(
    world: Reading,
    promotion: str,
    origin: Application,
    to: Place,
    source: PromotionEnvironment,
    target: PromotionEnvironment,
    known: EnvironmentState,
    forge: bool,
    before: EnvironmentState | None,
) -> Facts:
    """The facts, before anybody was asked. `promotion` is namespace/name, `forge` says whether there is one, `before`
    is the state of the environment before; None where that is the first one.
    """
    commit, applied = applied_commit(origin.status), origin.status.applied
    actions = world.catalog.actions_of(Key("Promotion", *promotion.split("/", 1)))
    accepted = asked_of(actions, PromotionWish.ACCEPT, source.name)
    facts = Facts(
        source,
        target,
        known,
        applied=commit,
        ready_since=ready_since(origin.status, origin.metadata.generation),
        vetoes=to.application.status.vetoes,
        base=to.base,
        forge=forge,
        tainted=tainted(before, applied.digest if applied is not None else "", accepted),
        again=asked_of(actions, PromotionWish.AGAIN, target.name),
    )
    if not commit:
        return facts
    found = proposals.candidate(world, target, origin, commit, to)
    both = () if found else proposals.shared(world, target, origin, commit, to)
    return replace(facts, candidate=found, shared=both)


def first(world: Reading, origin: Application, to: Place, facts: Facts) -> Facts:
    """The facts about the version that came first and has its turn, whose pull request is open."""
    known = facts.known
    found = proposals.candidate(world, facts.target, origin, known.source, to)
    if found.id != known.proposed:
        return facts
    behind = facts.candidate.id
    return replace(facts, applied=known.source, ready_since=known.proven, candidate=found, behind=behind)


def made(world: Reading, promotion: str, facts: Facts, to: Place) -> Facts:
    """With the commit upon the base of today. `promotion` is namespace/name."""
    change = proposals.commit(world, promotion, facts.target.name, facts.candidate, facts.applied, to)
    digest = proposals.digest(world, to.application, change, to.seen)
    return replace(facts, change=change, upon=to.head, digest=digest)


def kept(world: Reading, facts: Facts, to: Place, request: PullRequest | None) -> Facts:
    """With the commit that was made earlier, where the branch stays as it is although the base has moved. Only our own
    status tells that we have made exactly this commit: what the commit says of itself, anybody can write.
    """
    known = facts.known
    if request is None or not known.upon or known.head == facts.change:
        return facts
    ours = (request.state, request.head_commit, facts.candidate.id) == ("open", known.head, known.proposed)
    if not ours or not proposals.unmoved(world, to, known.upon):
        return facts
    digest = proposals.digest(world, to.application, known.head, to.seen)
    return replace(facts, change=known.head, upon=known.upon, digest=digest)


def _application(world: Reading, namespace: str, environment: PromotionEnvironment) -> Application:
    found = world.catalog.application(Key("Application", namespace, environment.application))
    if found is None:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"there is no Application {environment.application!r} in namespace {namespace!r}: create it, or mend "
            "spec.environments",
        )
    return found
