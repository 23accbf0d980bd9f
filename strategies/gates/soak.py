"""The gate `healthyFor`: a version must have been Ready for a time where it runs already."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.model.resource import format_duration
from reconciler.model.rollout import Verdict


def judge(seconds: float, ready_since: datetime | None, now: datetime) -> tuple[Verdict, str]:
    """`ready_since` is None while the version is not Ready there, or is not there. The evidence does not change from
    one second to the next: it is written into pull requests.
    """
    if ready_since is None:
        return Verdict.WAIT, "the environment before is not Ready with this version"
    ends = ready_since + timedelta(seconds=seconds)
    since = f"Ready since {ready_since:%Y-%m-%d %H:%M:%S} UTC"
    if now < ends:
        return Verdict.WAIT, f"{since}, and for {format_duration(seconds)} at {ends:%Y-%m-%d %H:%M:%S} UTC"
    return Verdict.PASS, f"{since}, which is {format_duration(seconds)} or longer"
