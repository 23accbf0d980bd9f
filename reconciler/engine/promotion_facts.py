"""What can be told of an environment without its forge: for the controller's look, and for a replay from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.core import hotfix
from reconciler.core.errand import Errand
from reconciler.core.landing import tainted
from reconciler.core.promotion_facts import Facts
from reconciler.core.promotion_members import apart, commits, late, ready_together, runs, whole
from reconciler.core.promotion_past import asked_of
from reconciler.engine import proposals
from reconciler.engine.keys import Key
from reconciler.engine.proposals import Place, Reading
from reconciler.engine.stages.fetch import repository_of
from reconciler.model.application import Application
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment
from reconciler.model.promotion_action import PromotionWish
from reconciler.ports import PullRequest

Origins = tuple[Application, ...]
"""The Applications of the environment before, each at the place of the one that follows it."""


def ends(
    world: Reading, namespace: str, source: PromotionEnvironment, target: PromotionEnvironment
) -> tuple[Origins, Place]:
    """The Applications of the environment before, and the place of those that they go to.

    Raises Terminal(INVALID_SPEC) where one is missing or they read two Repositories, and as `proposals.place`.
    """
    origins, goals = _members(world, namespace, source), _members(world, namespace, target)
    for each in (*origins[1:], *goals):
        if repository_of(each) != repository_of(origins[0]):
            every = "both" if len(goals) == 1 else "all applications of a release"
            raise Terminal(
                Reason.INVALID_SPEC,
                f"{origins[0].metadata.name} and {each.metadata.name} read two Repositories: {every} must be in one",
            )
    to = proposals.place(world, goals)
    repository = world.catalog.repository(to.repository)
    branch = repository.spec.branch if repository is not None else ""
    # A Manual one that was synced to a revision by hand still belongs to the branch of its spec.
    proposals.require_one_branch(origins, [each.spec.source.revision or branch for each in origins])
    return origins, to


def gather(
    world: Reading,
    promotion: str,
    origins: Origins,
    to: Place,
    source: PromotionEnvironment,
    target: PromotionEnvironment,
    known: EnvironmentState,
    forge: bool,
    before: EnvironmentState | None,
    now: datetime,
) -> Facts:
    """The facts, before anybody was asked. `promotion` is namespace/name, `forge` says whether there is one, `before`
    is the state of the environment before; None where that is the first one.
    """
    ran = [runs(each) for each in origins]
    key = Key("Promotion", *promotion.split("/", 1))
    actions, hotfixes = world.catalog.actions_of(key), world.catalog.hotfixes_of(key)
    urgent = hotfix.first(hotfixes, target.name, now)
    accepted = asked_of(actions, PromotionWish.ACCEPT, source.name)
    facts = Facts(
        source,
        target,
        known,
        ready_since=ready_together(ran),
        vetoes={each.name: each.application.status.vetoes for each in to.members},
        base=to.base,
        forge=forge,
        tainted=tainted(before, whole([each.digest for each in ran]), accepted),
        again=asked_of(actions, PromotionWish.AGAIN, target.name),
        late=late(ran),
        urgent=urgent.metadata.name if urgent is not None else "",
        lacking=hotfix.lacking(hotfixes, target.name),
    )
    if not all(each.commit for each in ran):
        return facts
    commit = _common(world, origins, commits(ran), to)
    if not commit:
        # What is known is of the version before, and so is the time since when that was proven.
        return replace(facts, apart=apart(ran), ready_since=known.proven)
    found = proposals.candidate(world, target, origins, commit, to)
    both = () if found else proposals.shared(world, target, origins, commit, to)
    return replace(facts, applied=commit, candidate=found, shared=both)


def _common(world: Reading, origins: Origins, applied: Sequence[str], to: Place) -> str:
    """The commit that all of them run: the one that was applied last of those at which each renders what it has
    applied. Empty where there is none: one has not deployed yet what another one has.
    """
    if len(applied) == 1:
        return applied[0]
    own = [proposals.digest(world, (each,), runs(each).commit, to.seen) for each in origins]
    # What one has given up again on the branch is there in no commit that another one has applied.
    for commit in (*applied, to.head):
        try:
            if proposals.digests(world, origins, commit, to.seen) == own:
                return commit
        except Transient:
            raise
        except StageError:
            # One that cannot be rendered there does not run it.
            continue
    return ""


def first(world: Reading, origins: Origins, to: Place, facts: Facts) -> Facts:
    """The facts about the version that came first and has its turn, whose pull request is open."""
    known = facts.known
    found = proposals.candidate(world, facts.target, origins, known.source, to)
    if found.id != known.proposed:
        return facts
    behind = facts.candidate.id
    return replace(facts, applied=known.source, ready_since=known.proven, candidate=found, behind=behind)


def made(world: Reading, errand: Errand, facts: Facts, to: Place) -> Facts:
    """With the commit upon the base of today."""
    change = proposals.commit(world, errand, facts.candidate, facts.applied, to)
    digest = proposals.digest(world, to.applications, change, to.seen)
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
    digest = proposals.digest(world, to.applications, known.head, to.seen)
    return replace(facts, change=known.head, upon=known.upon, digest=digest)


def place(world: Reading, namespace: str, environment: PromotionEnvironment) -> Place:
    """The place of an environment. Raises as `ends`."""
    return proposals.place(world, _members(world, namespace, environment))


def _members(world: Reading, namespace: str, environment: PromotionEnvironment) -> Origins:
    return tuple(_application(world, namespace, name) for name in environment.members)


def _application(world: Reading, namespace: str, name: str) -> Application:
    found = world.catalog.application(Key("Application", namespace, name))
    if found is None:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"there is no Application {name!r} in namespace {namespace!r}: create it, or mend spec.environments",
        )
    return found
