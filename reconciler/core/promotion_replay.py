"""A decision about a promotion, made again from what its status says: what the forge and others said is taken from
there, as far as it is about the same version and the same commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from reconciler.core.landing import Landed
from reconciler.core.promotion_decision import Act, Decision
from reconciler.core.promotion_facts import Facts, Said
from reconciler.core.promotion_text import who_may_approve
from reconciler.model.promotion import EnvironmentState, GateState, PromotionGate, PromotionState
from reconciler.model.pull_request import PullRequest
from reconciler.model.rollout import Verdict
from reconciler.ports import Gatekeeper, Proof

_STATES = {PromotionState.MERGED: "merged", PromotionState.REJECTED: "closed"}
_ALONE = ("healthy_for", "window", "freeze", "hold")
"""The gates that need nobody to be asked."""


def said(facts: Facts, change: str, head: str) -> Said:
    """What the forge last said, as far as the status tells it. `head` is what the branch of the pull request holds,
    empty where nobody knows it: then it holds what the status says, or `change`, as after every look.
    """
    known = facts.known
    if not known.number:
        return Said()
    if known.state is PromotionState.HELD:
        # It was merged, and the branch that it was on is history.
        gone = PullRequest(known.number, known.pull_request, "", facts.base, "", "merged")
        return Said(request=gone, landed=Landed(known.digest, known.digest))
    state = _STATES.get(known.state, "open")
    request = PullRequest(known.number, known.pull_request, "", facts.base, head or known.head or change, state)
    if known.proposed in ("", facts.candidate.id):
        return Said(request=request, foreign=request.head_commit not in (change, known.head))
    return Said(older=request)


def recorded(judge: Gatekeeper, facts: Facts, change: str) -> Gatekeeper:
    """A judge who asks nobody: what depends on people, on CI and on metrics is what the status says of this commit."""
    known = facts.known
    same = known.candidate == facts.candidate.id and known.head in ("", change)
    written = dict(zip(facts.target.gates, known.gates, strict=False)) if same else {}

    def again(gate: PromotionGate, proof: Proof, now: datetime) -> tuple[str, Verdict, str]:
        name, verdict, evidence = judge(gate, proof, now)
        if any(getattr(gate, field) is not None for field in _ALONE):
            return name, verdict, evidence
        told = written.get(gate)
        if told is None or told.gate != name or told.verdict not in [*Verdict]:
            return name, Verdict.WAIT, "cannot be told offline, and the status says nothing of this version and commit"
        return name, Verdict(told.verdict), f"{told.evidence} (as the status has it: nobody was asked again)"

    return again


def opens(facts: Facts, decision: Decision) -> Iterator[str]:
    """What would let it go on, in sentences without a point: by itself, or by whom."""
    state = decision.state
    if decision.act is not Act.NONE:
        yield f"the controller does it at its next look: {decision.act.value}"
        return
    if state.state is PromotionState.REJECTED:
        yield "a newer version; this one was closed by a person"
    elif state.state is PromotionState.FAILED:
        yield "`dispatch rollout retry` in the target, or a newer version"
    elif facts.candidate and facts.ready_since is None:
        yield f"{', '.join(facts.late or facts.source.members)} becomes Ready with it"
    else:
        yield from _gates(facts, state)


def _gates(facts: Facts, state: EnvironmentState) -> Iterator[str]:
    if state.earliest is not None:
        yield f"the time, at {state.earliest:%Y-%m-%d %H:%M:%S} UTC at the earliest"
    for gate, judged in zip(facts.target.gates, state.gates, strict=False):
        if not judged.is_open:
            yield from _opens(gate, judged)
    if state.state is PromotionState.OPEN and all(each.is_open for each in state.gates):
        yield "a person merges the pull request"


def _opens(gate: PromotionGate, judged: GateState) -> Iterator[str]:
    if gate.approvals is not None:
        yield f"approvals: {who_may_approve(gate.approvals)}"
    elif gate.checks:
        yield f"checks: {', '.join(gate.checks)} succeed for the commit of the pull request"
    elif gate.hold:
        yield "hold: somebody sets `hold` to false"
    elif not any(getattr(gate, field) is not None for field in _ALONE):
        yield f"{judged.gate}: {judged.evidence}"
