"""What a promotion remembers of an environment: the last merge into it, and what it had and gave up again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.core import landing
from reconciler.core.promotion import brought
from reconciler.core.promotion_facts import Facts
from reconciler.model.promotion import EnvironmentState, GateState, PastMerge, PromotionState
from reconciler.model.promotion_action import PromotionAction, PromotionWish
from reconciler.model.pull_request import PullRequest
from reconciler.model.strategy import MergePolicy
from reconciler.ports import Gatekeeper, Proof

_ASK = "`dispatch promotion again` asks for it once more"


def judged(facts: Facts, judge: Gatekeeper, proof: Proof, at: datetime) -> tuple[GateState, ...]:
    """What each gate says at a time."""
    found = [judge(gate, proof, at) for gate in facts.target.gates]
    return tuple(GateState(gate=name, verdict=verdict.value, evidence=why) for name, verdict, why in found)


def rendered_since(facts: Facts, now: datetime) -> datetime | None:
    """Since when the commit renders what it renders now, where it has rendered something else before: a chart that
    makes up values, a base that is elsewhere. None where it always did, as far as anybody knows.
    """
    known = facts.known
    if not known.head or known.head != facts.change:
        return None
    return now if facts.digest and known.digest not in ("", facts.digest) else known.rendered


def remembered(facts: Facts, judge: Gatekeeper, now: datetime) -> EnvironmentState:
    """What was known, with what has come true since: a merge, and which images the environment has."""
    known, request = facts.known, merged_since(facts)
    landed = facts.said.landed if facts.said is not None else None
    if request is not None and landed is not None:
        # What is known of images may be of a version that came after the one of the pull request.
        images = known.brings if known.candidate == known.proposed else ()
        merge = _merge(facts, landed, request, judge, now)
        known = known.model_copy(update={"merged": merge, "had": brought(known.had, images)})
    if facts.applied and not facts.candidate:
        known = known.model_copy(update={"had": brought(known.had, facts.shared)})
    return known


def merged_since(facts: Facts) -> PullRequest | None:
    """The pull request that is known and was merged, of whose merge nothing is recorded yet."""
    if facts.said is None:
        return None
    known = facts.known
    for request in (facts.said.request, facts.said.older):
        if request is not None and request.state == "merged" and request.number == known.number:
            # Forges number upwards: an older one is not the last merge any more.
            recorded = known.merged is not None and known.merged.number >= request.number
            return None if recorded else request
    return None


def _merge(facts: Facts, landed: landing.Landed, request: PullRequest, judge: Gatekeeper, now: datetime) -> PastMerge:
    """The gates have their word as of the moment of the merge."""
    proof = Proof(
        facts.ready_since,
        landing.reviews_until(landed.reviews, request.merged_at),
        landed.checks,
        request.head_commit,
        request.author,
        facts.measured,
        since=facts.known.rendered if facts.known.head == request.head_commit else None,
        teams=landed.teams,
    )
    shut = landing.closed_then(request, judged(facts, judge, proof, request.merged_at or now), facts.known)
    # Where people merge Dispatch does not. Its own merge was done with all gates open.
    ours = facts.target.merge is MergePolicy.AUTOMATIC and request.merged_by == request.author
    return PastMerge(
        candidate=facts.known.proposed,
        pull_request=request.url,
        number=request.number,
        by=request.merged_by,
        at=request.merged_at,
        commit=request.merge_commit,
        digest=landed.merged,
        verdict=landing.verdict_of(shut, ours, landed.proposed, landed.merged),
        closed=() if ours else shut,
    )


def went_back(facts: Facts) -> bool:
    """Whether the environment had this version from the one before, and went to another one since: by a revert, an undo
    or a mend in Git. Whoever did that does not want it back by itself."""
    candidate, known = facts.candidate, facts.known
    if candidate.images and not candidate.files:
        return set(candidate.named or map(str, candidate.images)) <= set(known.had)
    return known.merged is not None and known.merged.candidate == candidate.id


def asked(facts: Facts, request: PullRequest | None) -> bool:
    """Whether somebody has asked for the version once more since what keeps it back has happened."""
    return _token(facts, request) in facts.again


def held(facts: Facts, state: EnvironmentState, request: PullRequest | None) -> EnvironmentState:
    """The state of a version that the environment has given up."""
    names = ", ".join(map(str, facts.candidate.images)) or "these files"
    words = (
        f"{facts.target.name} had {names} and has something else since: a revert or a mend in Git. It is not promoted "
        f"again until {facts.source.name} runs another version. {_ASK}"
    )
    return _kept_back(facts, state, request, PromotionState.HELD, words)


def rejected(facts: Facts, state: EnvironmentState, request: PullRequest) -> EnvironmentState:
    """The state of a version whose pull request somebody has closed."""
    words = f"{request.url} was closed without a merge: this version is not proposed again, unless it is opened again"
    return _kept_back(facts, state, request, PromotionState.REJECTED, f"{words}. {_ASK}")


def without_a_hotfix(facts: Facts, state: EnvironmentState, image: str, hotfix: str) -> EnvironmentState:
    """The state of a version that was there before a hotfix landed."""
    words = (
        f"{image} ran in {facts.source.name} before Hotfix {hotfix} went to {facts.target.name}, and may lack it: "
        f"{facts.source.name} must run another version. {_ASK}"
    )
    return _kept_back(facts, state, None, PromotionState.HELD, words)


def _kept_back(
    facts: Facts, state: EnvironmentState, request: PullRequest | None, where: PromotionState, words: str
) -> EnvironmentState:
    return state.model_copy(update={"state": where, "message": words, "again": _token(facts, request)})


def _token(facts: Facts, request: PullRequest | None) -> str:
    """Another one each time that the version is kept back, so that it is asked for once, and not for ever."""
    merge = facts.known.merged
    return f"{facts.candidate.id}-{request.number if request else 0}-{merge.commit[:10] if merge else 0}"


def asked_of(actions: Iterable[PromotionAction], wish: PromotionWish, environment: str) -> frozenset[str]:
    """The versions for which somebody asks this of an environment."""
    return frozenset(
        each.spec.version for each in actions if each.spec.action is wish and each.spec.environment == environment
    )


def is_over(action: PromotionAction, states: Iterable[EnvironmentState]) -> bool:
    """Whether what somebody asked for is about a version that no environment of the status speaks of any more."""
    asked = action.spec
    for each in states:
        if each.name == asked.environment:
            accepted = each.merged is not None and each.merged.commit == asked.version
            # A version has another name each time that it is kept back; all of them begin alike.
            same = any(part and asked.version.startswith(f"{part}-") for part in (each.candidate, each.proposed))
            return not accepted and not same
    return True
