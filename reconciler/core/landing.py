"""What came of a pull request that was merged: by whom, with which gates closed, and whether it is what was proposed.

Squash and rebase merges make other commits than were looked at, and a base may move between a look and a merge. So what
counts is what the environment renders: the digest of the proposal against that of the merge.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.promotion import EnvironmentState, GateState, MergeVerdict, PastMerge
from reconciler.model.pull_request import PullRequest, Review
from reconciler.ports import Team

_MEASURED = frozenset({"healthyFor", "analysis"})
"""Gates on what has passed by the time that the merge is seen: what was found before the merge stands."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What is said of a pull request that was merged. `proposed` and `merged` are digests of what the target renders
    with the one and the other; `proposed` is empty where nobody knows it any more."""

    proposed: str
    merged: str
    reviews: Sequence[Review] | None = None
    checks: Mapping[str, str] | None = None
    teams: Mapping[str, Team] = field(default_factory=dict)


def reviews_until(reviews: Sequence[Review] | None, at: datetime | None) -> Sequence[Review] | None:
    """What had been said when it was merged; all of it where the forge does not tell the time of either."""
    if reviews is None or at is None:
        return reviews
    return [each for each in reviews if each.at is None or each.at <= at]


def closed_then(request: PullRequest, judged: Sequence[GateState], known: EnvironmentState) -> tuple[str, ...]:
    """The gates that were closed when it was merged. `judged` is what they say as of that time; `known` the last state
    before."""
    passed = {gate.gate for gate in known.gates if gate.is_open}
    same = known.head == request.head_commit
    return tuple(gate.gate for gate in judged if not gate.is_open and not (same and gate.gate in _MEASURED & passed))


def verdict_of(closed: Collection[str], by_dispatch: bool, proposed: str, merged: str) -> MergeVerdict:
    """`proposed` and `merged` are the digests of what the environment renders. A proposal that nobody knows any more
    was not looked at either."""
    if not proposed or proposed != merged:
        return MergeVerdict.UNREVIEWED
    return MergeVerdict.OVERRIDE if closed and not by_dispatch else MergeVerdict.EXPECTED


def said(merge: PastMerge | None) -> str:
    """A sentence about a merge that was not as expected; empty for one that was, and for none."""
    if merge is None or merge.verdict is MergeVerdict.EXPECTED:
        return ""
    by = f" by {merge.by}" if merge.by else ""
    gates = f" while closed: {', '.join(merge.closed)}" if merge.closed else ""
    if merge.verdict is MergeVerdict.OVERRIDE:
        return f"override recorded: {merge.pull_request} was merged{by}{gates}"
    return f"unreviewed change: {merge.pull_request} was merged{by}{gates}, and is not what was proposed"


def tainted(before: EnvironmentState | None, runs: str, accepted: Collection[str]) -> str:
    """Why what an environment runs goes no further; empty when it may. `before` is its own state (None for the first
    environment), `runs` the digest of what it has applied, `accepted` the merge commits that somebody has accepted.

    A newer commit makes it moot: then it runs something else.
    """
    merge = before.merged if before is not None else None
    if before is None or merge is None or merge.verdict is not MergeVerdict.UNREVIEWED:
        return ""
    if merge.commit in accepted or (runs and runs != merge.digest):
        return ""
    return (
        f"{before.name} runs an unreviewed change ({merge.pull_request}, commit {merge.commit[:10]}), which goes no "
        f"further: look at it, then `dispatch promotion accept NAME --environment {before.name}`, or mend it in Git"
    )
