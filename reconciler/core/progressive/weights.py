"""How many pods a weight is, where no traffic router divides the traffic: the nearest share that whole pods can make.

After approximateWeightedCanaryStableReplicaCounts and resolveFenceposts of Argo Rollouts (utils/replicaset/canary.go,
utils/replicaset/replicaset.go), in exact arithmetic.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

_DEFAULT = "25%"


class Share(NamedTuple):
    """`canary` of `total` pods are of the new version."""

    canary: int
    total: int


def share(replicas: int, weight: int, surge: bool) -> Share:
    """The pods at a weight of 0 to 100 percent. `surge`: one pod more than wanted may run.

    Between 1 and 99 percent at least one pod of the new version runs, and one of the old if there is room for two.
    Of two counts that are equally near the larger one is taken.
    """
    if replicas == 0:
        return Share(0, 0)
    exact = Fraction(replicas * weight, 100)
    above, below = -(-exact.numerator // exact.denominator), exact.numerator // exact.denominator
    none_allowed = weight in (0, 100) or (replicas == 1 and not surge)
    options = []
    if above < replicas or none_allowed:
        options.append(Share(above, replicas))
    for total in (replicas, replicas + 1) if surge else (replicas,):
        if total > replicas:
            options.append(Share(above, total))
        if not _tied(total, weight) and (below or none_allowed):
            options.append(Share(below, total))
    return min(
        options,
        key=lambda option: abs(Fraction(option.canary * 100, option.total) - weight),
        default=Share(0, replicas),
    )


def may_surge(replicas: int, canary: dict[str, Any]) -> bool:
    """Whether a Rollout's `spec.strategy.canary` allows a pod over the wanted number; `maxSurge` is 25% without it."""
    return _count(canary.get("maxSurge", _DEFAULT), replicas) > 0


def _tied(total: int, weight: int) -> bool:
    return (Fraction(total * weight, 100) % 1) == Fraction(1, 2)


def _count(value: Any, replicas: int) -> int:
    """A share is rounded up."""
    text = str(value)
    return -(-replicas * int(text[:-1]) // 100) if text.endswith("%") else int(text)
