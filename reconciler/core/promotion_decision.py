"""How far a version may go into an environment now: one decision, by the controller and by `explain` alike.

The caller gathers `Facts`, asks `decide`, does the one `Act` that it names, gathers what that changed, and asks again
until nothing is left to do. Nothing is read and nothing is written here; time is passed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core import landing
from reconciler.core import promotion_past as past
from reconciler.core.hotfix import lacks
from reconciler.core.promotion import brought, is_superseded
from reconciler.core.promotion_facts import Facts, Said
from reconciler.core.promotion_members import undeployed, unproven
from reconciler.model.promotion import EnvironmentState, GateState, PastMerge, PromotionState
from reconciler.model.pull_request import PullRequest
from reconciler.model.strategy import InFlight, MergePolicy
from reconciler.ports import Forecast, Gatekeeper, Proof

_READ = timedelta(seconds=30)
"""In which the base is read again after a merge. Only then a version counts as taken out of it."""


class Act(StrEnum):
    """What is to be done next."""

    NONE = "nothing"
    ASK = "make the commit, and ask the forge"
    CLOSE = "close the pull request of another version"
    OPEN = "open a pull request"
    RENEW = "make the branch anew"
    PUSH = "push to the branch"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next act, and where the environment is once it is done. `number` is the pull request that it is about."""

    act: Act
    state: EnvironmentState
    number: int = 0


def decide(facts: Facts, judge: Gatekeeper, forecast: Forecast, now: datetime) -> Decision:
    """What is to be done now. What cannot be told is closed: without it nothing is merged."""
    facts = replace(facts, known=past.remembered(facts, judge, now))
    decision = _decide(facts, judge, now)
    state, known = decision.state, facts.known
    kept = {"had": state.had or known.had, "merged": state.merged or known.merged}
    decision = replace(decision, state=state.model_copy(update=kept))
    if state.state not in (PromotionState.WAITING, PromotionState.OPEN) or not facts.candidate:
        return decision
    opens = forecast(facts.target.gates, facts.ready_since, now)
    later = opens if opens is not None and opens > now else None
    return replace(decision, state=decision.state.model_copy(update={"earliest": later}))


def _decide(facts: Facts, judge: Gatekeeper, now: datetime) -> Decision:
    if facts.apart:
        # Nothing can be told yet of what is to come: what is known stays.
        return Decision(Act.NONE, _of(facts.known, PromotionState.WAITING, facts.apart))
    if not facts.applied:
        return _waits(facts, undeployed(facts.late, facts.source.members))
    if not facts.candidate:
        return _nothing_to_come(facts, now)
    state = _proposed(facts, judge, now)
    if (vetoed := _vetoed(facts)) is not None:
        return Decision(Act.NONE, _of(state, PromotionState.FAILED, vetoed))
    if facts.tainted:
        return Decision(Act.NONE, _of(state, PromotionState.WAITING, facts.tainted))
    if (kept := _for_a_hotfix(facts, state)) is not None:
        return _kept_out(facts, kept)
    if facts.ready_since is None:
        words = unproven(facts.late, facts.source.members)
        return Decision(Act.NONE, _of(state, PromotionState.WAITING, words))
    if facts.said is None:
        return Decision(Act.ASK, _of(state, PromotionState.WAITING, "the forge was not asked yet"))
    if not facts.forge:
        return _without_forge(facts, state)
    return _by_pull_request(facts, facts.said, state, now)


def has_its_turn(facts: Facts) -> bool:
    """Whether the version whose pull request is known goes on, while the one to come waits: where the policy queues
    them, and it had been Ready for as long as the gates want when the newer one came. One that had not can never be: it
    gives way, or nothing would ever move again.
    """
    known, wanted = facts.known, facts.candidate.id
    if facts.target.in_flight is InFlight.SUPERSEDE or not known.number or not facts.candidate:
        return False
    soaks = sum(gate.healthy_for is not None for gate in facts.target.gates)
    passed = [gate for gate in known.gates if gate.gate == "healthyFor" and gate.is_open]
    return known.candidate == known.proposed != wanted and known.proven is not None and len(passed) >= soaks


def closed(gates: Iterable[GateState]) -> str:
    """Why the gates are not open; empty when they are."""
    waiting = [f"{gate.gate}: {gate.evidence}" for gate in gates if not gate.is_open]
    return "; ".join(waiting)


def _proposed(facts: Facts, judge: Gatekeeper, now: datetime) -> EnvironmentState:
    """The candidate, with what each gate says of it."""
    said = facts.said or Said()
    request = said.request
    proof = Proof(facts.ready_since, measured=facts.measured)
    rendered = past.rendered_since(facts, now)
    if request is not None:
        proof = replace(
            proof,
            reviews=said.reviews,
            checks=said.checks,
            head=facts.change,
            author=request.author,
            digest=facts.digest,
            since=rendered,
            teams=said.teams,
        )
    return EnvironmentState(
        name=facts.target.name,
        state=PromotionState.WAITING,
        candidate=facts.candidate.id,
        images=tuple(map(str, facts.candidate.images)),
        parts=facts.candidate.named,
        source=facts.applied,
        gates=past.judged(facts, judge, proof, now),
        rendered=rendered,
    )


def _nothing_to_come(facts: Facts, now: datetime) -> Decision:
    """The environment before runs what this one has: what was proposed meanwhile nobody wants any more, or is there."""
    words = f"has what {facts.source.name} runs"
    if left := ", ".join(map(str, facts.candidate.left)):
        words = f"{left} of {facts.source.name} is older than what runs here: only `carry.older` takes it back"
    words = "; ".join(filter(None, (words, landing.said(facts.known.merged))))
    current = EnvironmentState(name=facts.target.name, state=PromotionState.CURRENT, message=words)
    if not (facts.forge and facts.known.number):
        return Decision(Act.NONE, current)
    if facts.said is None:
        return Decision(Act.ASK, current)
    older = facts.said.older
    if older is None or older.state != "open":
        return Decision(Act.NONE, current)
    merging = _may_be_merging(facts, now)
    if facts.target.in_flight is InFlight.SUPERSEDE and not merging:
        return Decision(Act.CLOSE, current, older.number)
    # It is not forgotten: a newer version waits until it is merged or closed.
    kept = {"number": older.number, "pull_request": older.url, "proposed": facts.known.proposed}
    waits = "is being merged, as it seems" if merging else "is still open: merge it, or close it"
    return Decision(Act.NONE, current.model_copy(update={**kept, "message": f"{words}; {older.url} {waits}"}))


def _may_be_merging(facts: Facts, now: datetime) -> bool:
    """Whether what was proposed has just come into the branch. A forge pushes a merge before it says that it merged:
    to close the pull request in between would call it superseded.
    """
    known = facts.known
    if not set(known.brings) <= set(facts.shared):
        return False
    return known.state is not PromotionState.CURRENT or known.since is None or now < known.since + _READ


def _without_forge(facts: Facts, state: EnvironmentState) -> Decision:
    """Nobody can look at it before: only the gates stand in the way."""
    if facts.known.head != facts.change and past.went_back(facts) and not past.asked(facts, None):
        return Decision(Act.NONE, past.held(facts, state, None))
    if why := closed(state.gates):
        return Decision(Act.NONE, _of(state, PromotionState.WAITING, why))
    merge = PastMerge(candidate=state.candidate, commit=facts.change, digest=facts.digest)
    done = {"head": facts.change, "merged": merge, "had": brought(facts.known.had, state.brings)}
    pushed = _of(state, PromotionState.MERGED, f"pushed to {facts.base}").model_copy(update=done)
    return Decision(Act.PUSH, pushed)


def _by_pull_request(facts: Facts, said: Said, state: EnvironmentState, now: datetime) -> Decision:
    older, request = said.older, said.request
    if older is not None and older.state == "open":
        if facts.target.in_flight is InFlight.SUPERSEDE or not has_its_turn(facts):
            words = f"{older.url} is of an older version: it is closed"
            return Decision(Act.CLOSE, _of(state, PromotionState.WAITING, words), older.number)
        words = f"{state.candidate} waits until {older.url} is merged or closed"
        return Decision(Act.NONE, facts.known.model_copy(update={"message": words}))
    asked = past.asked(facts, request)
    # What Dispatch closed, because nobody wanted it any more, may come again.
    gone = request is None or (request.state == "closed" and is_superseded(request.title))
    if gone and past.went_back(facts) and not asked:
        return Decision(Act.NONE, past.held(facts, state, request))
    if request is None or gone or (request.state == "closed" and asked):
        return Decision(Act.OPEN, _of(state, PromotionState.OPEN, "a pull request is opened"))
    if request.state == "closed":
        return _with(request, Act.NONE, past.rejected(facts, state, request))
    if request.state == "merged":
        return _merged(facts, request, state, now)
    if request.state != "open":
        words = f"the forge calls {request.url} {request.state!r}, which Dispatch does not know: nothing is done"
        return _with(request, Act.NONE, _of(state, PromotionState.WAITING, words))
    if request.head_commit == facts.change:
        made = {"head": facts.change, "upon": facts.upon, "digest": facts.digest}
        return _ripe(facts, request, state.model_copy(update=made))
    if said.foreign:
        words = f"somebody wrote to the branch of {request.url}: Dispatch does not merge what it did not make"
        return _with(request, Act.NONE, _of(state, PromotionState.OPEN, words))
    words = f"{facts.base} has moved: the branch of {request.url} is made anew upon it"
    return _with(request, Act.RENEW, _of(state, PromotionState.OPEN, words))


def _merged(facts: Facts, request: PullRequest, state: EnvironmentState, now: datetime) -> Decision:
    """A merged version that is still to come: the base was not read since, or it was taken out of it again."""
    fresh = request.merged_at is not None and now < request.merged_at + _READ
    if fresh or request.head_commit == facts.change or past.merged_since(facts) is not None:
        words = "; ".join(filter(None, (f"{request.url} is merged", landing.said(facts.known.merged))))
        return _with(request, Act.NONE, _of(state, PromotionState.MERGED, words))
    # Without a memory of what was there it counts as taken out.
    if (past.went_back(facts) or not facts.known.had) and not past.asked(facts, request):
        return _with(request, Act.NONE, past.held(facts, state, request))
    return Decision(Act.OPEN, _of(state, PromotionState.OPEN, "a pull request is opened"))


def _ripe(facts: Facts, request: PullRequest, state: EnvironmentState) -> Decision:
    """An open pull request of exactly the change: the gates have the word, then the policy."""
    if why := closed(state.gates):
        return _with(request, Act.NONE, _of(state, PromotionState.OPEN, why))
    if facts.target.merge is MergePolicy.MANUAL:
        words = f"all gates are open: {request.url} waits for a person to merge it"
        return _with(request, Act.NONE, _of(state, PromotionState.OPEN, words))
    return _with(request, Act.MERGE, _of(state, PromotionState.MERGED, f"{request.url} is merged"))


def _for_a_hotfix(facts: Facts, state: EnvironmentState) -> EnvironmentState | None:
    """The state of a version that a hotfix keeps out; None where none does."""
    if facts.urgent:
        words = f"Hotfix {facts.urgent} goes first: `dispatch promotion explain` says where it is"
        return _of(state, PromotionState.WAITING, words)
    found = lacks(facts.candidate.images, facts.lacking)
    return past.without_a_hotfix(facts, state, *found) if found and not past.asked(facts, None) else None


def _kept_out(facts: Facts, state: EnvironmentState) -> Decision:
    """What was proposed meanwhile gives way."""
    if not (facts.forge and facts.known.number):
        return Decision(Act.NONE, state)
    if facts.said is None:
        return Decision(Act.ASK, state)
    for request in (facts.said.older, facts.said.request):
        if request is not None and request.state == "open":
            return Decision(Act.CLOSE, state, request.number)
    return Decision(Act.NONE, state)


def _vetoed(facts: Facts) -> str | None:
    """An image that was aborted in the environment does not come again under another tag."""
    members = facts.target.members
    rest = f". Nothing of {', '.join(members)} goes on before that" if len(members) > 1 else ""
    for name, part in facts.candidate.each(members):
        for veto in facts.vetoes.get(name, ()):
            digests = {image.rpartition("@")[2] for image in veto.images if "@" in image}
            for ref in part.images:
                if str(ref) in veto.images or (ref.digest and ref.digest in digests):
                    return f"{ref} was aborted in {name} ({veto.why}): `dispatch rollout retry` lifts the veto{rest}"
    return None


def _waits(facts: Facts, words: str) -> Decision:
    state = EnvironmentState(name=facts.target.name, state=PromotionState.WAITING, message=words)
    return Decision(Act.NONE, state)


def _of(state: EnvironmentState, where: PromotionState, words: str) -> EnvironmentState:
    return state.model_copy(update={"state": where, "message": words})


def _with(request: PullRequest, act: Act, state: EnvironmentState) -> Decision:
    """The decision about a pull request of the candidate, which the state names."""
    known = {"pull_request": request.url, "number": request.number, "proposed": state.candidate}
    return Decision(act, state.model_copy(update=known), request.number)
