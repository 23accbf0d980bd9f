"""The gate `approvals`: enough of the right people have approved exactly what would be merged."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.promotion import ApprovalsGate
from reconciler.model.rollout import Verdict
from reconciler.ports import Proof, Review

_SPEAKS_LAST = frozenset({"approved", "rejected", "dismissed"})
"""What changes the mind of a reviewer; a comment does not, and a pending review is not given yet."""


def judge(gate: ApprovalsGate, proof: Proof) -> tuple[Verdict, str]:
    """The reviews are None while there is no pull request.

    Of each user the last word counts, for the head alone: who approved an earlier commit has not seen this one, nor has
    who approved it before it rendered what it renders now. Whoever opened the pull request does not count, nor does who
    may not write to the repository. Nobody else can have pushed last: Dispatch merges only what it made itself.
    """
    wanted = f"{gate.count} of {', '.join(gate.from_)}" if gate.from_ else f"{gate.count}"
    if proof.reviews is None:
        return Verdict.WAIT, f"{wanted} must approve; there is no pull request yet"
    if proof.author and proof.author in gate.from_:
        words = f"`from` names {proof.author}, who opens the pull requests: nobody approves their own, take it out"
        return Verdict.FAIL, words
    last = {each.user: each for each in proof.reviews if each.state in _SPEAKS_LAST}
    said = [
        each for user, each in sorted(last.items()) if user != proof.author and (not gate.from_ or user in gate.from_)
    ]
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
