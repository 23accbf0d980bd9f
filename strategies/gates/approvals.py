"""The gate `approvals`: enough of the right people have approved exactly what would be merged."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.promotion import ApprovalsGate
from reconciler.model.pull_request import last_words
from reconciler.model.rollout import Verdict
from reconciler.ports import Proof, Review, Team


def judge(gate: ApprovalsGate, proof: Proof) -> tuple[Verdict, str]:
    """The reviews are None while there is no pull request.

    Of each user the last word counts, for the head alone: who approved an earlier commit has not seen this one, nor has
    who approved it before it rendered what it renders now. Whoever opened the pull request does not count, nor does who
    may not write to the repository. Nobody else can have pushed last: Dispatch merges only what it made itself.
    """
    wanted = f"{gate.count}{_of(gate)}"
    if proof.reviews is None:
        return Verdict.WAIT, f"{wanted} must approve; there is no pull request yet"
    if proof.author and proof.author in gate.from_:
        words = f"`from` names {proof.author}, who opens the pull requests: nobody approves their own, take it out"
        return Verdict.FAIL, words
    spoken = last_words(proof.reviews, proof.author)
    if gate.needs_teams(spoken) and (unread := _unread(gate, proof)):
        return Verdict.WAIT, unread
    said = [each for each in spoken if _counts(gate, proof, each.user)]
    against = [each.user for each in said if each.state == "rejected" and each.official]
    if against:
        return Verdict.WAIT, f"{', '.join(against)} asked for changes"
    approved = [each for each in said if each.state == "approved" and each.official]
    given = [each.user for each in approved if _saw(each, proof)]
    told = f"approved by {', '.join(given)}" if given else "nobody has approved"
    what = f"{proof.head[:10]}, rendered {proof.digest[:10]}" if proof.digest else proof.head[:10]
    if len(given) >= gate.count:
        return Verdict.PASS, f"{told}, at {what}"
    return Verdict.WAIT, f"{wanted} must approve {what}: {told}{_void(approved, proof)}"


def _of(gate: ApprovalsGate) -> str:
    """Whose word counts; empty where it is everybody's."""
    named = [*gate.from_, *(f"the team {team}" for team in gate.teams)]
    return f" of {', '.join(named)}" if named else ""


def _counts(gate: ApprovalsGate, proof: Proof, user: str) -> bool:
    if gate.is_open_to_all or user in gate.from_:
        return True
    return any(user in proof.teams[team].members for team in gate.teams if team in proof.teams)


def _unread(gate: ApprovalsGate, proof: Proof) -> str:
    """Why it is not known whose word counts, empty where it is: a team that is not known may hold somebody who is
    against it."""
    found = [proof.teams.get(team, Team(problem=f"nobody has asked who is in the team {team}")) for team in gate.teams]
    return "; ".join(each.problem for each in found if each.problem)


def _saw(review: Review, proof: Proof) -> bool:
    """Whether it is about exactly what would be merged: the commit, and what that renders."""
    if review.commit != proof.head:
        return False
    return proof.since is None or (review.at is not None and review.at > proof.since)


def _void(approved: Sequence[Review], proof: Proof) -> str:
    stale = [each.user for each in approved if each.commit != proof.head]
    changed = [each.user for each in approved if each.commit == proof.head and not _saw(each, proof)]
    earlier = f"; void, for an earlier commit: {', '.join(stale)}" if stale else ""
    return earlier + (f"; void, for it renders something else since: {', '.join(changed)}" if changed else "")
