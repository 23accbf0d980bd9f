"""The gate `checks`: what CI says of the commit that would be merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.model.rollout import Verdict


def judge(wanted: Sequence[str], states: Mapping[str, str] | None) -> tuple[Verdict, str]:
    """`states` are the newest of each context, None while there is no pull request. One that is missing is closed."""
    if states is None:
        return Verdict.WAIT, f"{', '.join(wanted)} must succeed; there is no pull request yet"
    open_ones = [name for name in wanted if states.get(name) != "success"]
    if not open_ones:
        return Verdict.PASS, f"{', '.join(wanted)} succeeded"
    return Verdict.WAIT, ", ".join(f"{name}: {states.get(name, 'not reported')}" for name in open_ones)
