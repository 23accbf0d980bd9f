"""The gate `approvals`: enough of the right people have approved exactly what would be merged."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.promotion import ApprovalsGate
from reconciler.model.rollout import Verdict
from reconciler.ports import Review

_SPEAKS_LAST = frozenset({"approved", "rejected", "dismissed"})
"""What changes the mind of a reviewer; a comment does not, and a pending review is not given yet."""


def judge(gate: ApprovalsGate, reviews: Sequence[Review] | None, head: str, author: str) -> tuple[Verdict, str]:
    """`reviews` is None while there is no pull request; `head` is the commit that would be merged.

    Of each user the last word counts, for `head` alone: who approved an earlier commit has not seen this one. Whoever
    opened the pull request does not count, nor does who may not write to the repository.
    """
    wanted = f"{gate.count} of {', '.join(gate.from_)}" if gate.from_ else f"{gate.count}"
    if reviews is None:
        return Verdict.WAIT, f"{wanted} must approve; there is no pull request yet"
    last = {each.user: each for each in reviews if each.state in _SPEAKS_LAST}
    said = [each for user, each in sorted(last.items()) if user != author and (not gate.from_ or user in gate.from_)]
    against = [each.user for each in said if each.state == "rejected" and each.official]
    if against:
        return Verdict.WAIT, f"{', '.join(against)} asked for changes"
    given = [each.user for each in said if each.state == "approved" and each.official and each.commit == head]
    stale = [each.user for each in said if each.state == "approved" and each.official and each.commit != head]
    told = f"approved by {', '.join(given)}" if given else "nobody has approved"
    if len(given) >= gate.count:
        return Verdict.PASS, f"{told}, at {head[:10]}"
    void = f"; void, for an earlier commit: {', '.join(stale)}" if stale else ""
    return Verdict.WAIT, f"{wanted} must approve {head[:10]}: {told}{void}"
