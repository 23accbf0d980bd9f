"""Weights in whole pods. The table is held against the real controller in tests/cluster/test_rollout_sections.py."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.progressive.weights import may_surge, share

WEIGHTS = st.integers(0, 100)
REPLICAS = st.integers(1, 2000)


@pytest.mark.parametrize(
    ("replicas", "weight", "surge", "expected"),
    [
        (3, 5, True, (1, 4)),
        (3, 5, False, (1, 3)),
        (1, 5, True, (1, 2)),
        (1, 5, False, (0, 1)),
        (1, 95, False, (1, 1)),
        (3, 50, True, (2, 4)),
        (3, 50, False, (2, 3)),
        (10, 10, True, (1, 10)),
        (10, 99, False, (9, 10)),
        (0, 50, True, (0, 0)),
        (7, 0, True, (0, 7)),
        (7, 100, True, (7, 7)),
    ],
)
def test_a_weight_is_the_nearest_share_of_whole_pods(
    replicas: int, weight: int, surge: bool, expected: tuple[int, int]
) -> None:
    assert share(replicas, weight, surge) == expected


@given(REPLICAS, WEIGHTS, st.booleans())
def test_it_is_argo_rollouts_own_arithmetic(replicas: int, weight: int, surge: bool) -> None:
    assert share(replicas, weight, surge) == _approximate(replicas, weight, surge)


@given(st.integers(2, 2000), st.integers(1, 99), st.booleans())
def test_both_versions_have_a_pod_between_the_ends(replicas: int, weight: int, surge: bool) -> None:
    pods = share(replicas, weight, surge)
    assert 0 < pods.canary < pods.total
    assert pods.total in ((replicas, replicas + 1) if surge else (replicas,))


def test_surge_is_a_quarter_rounded_up_when_nothing_is_said() -> None:
    assert may_surge(1, {})
    assert may_surge(3, {"maxSurge": "1%"})
    assert not may_surge(3, {"maxSurge": 0})
    assert not may_surge(3, {"maxSurge": "0%"})


def _approximate(replicas: int, weight: int, surge: bool) -> tuple[int, int]:
    """approximateWeightedCanaryStableReplicaCounts, line by line, with its floating point numbers."""
    above, below = math.ceil(replicas * weight / 100), math.floor(replicas * weight / 100)

    def tied(total: int) -> bool:
        return math.modf(total * (weight / 100))[0] == 0.5

    zero_allowed = weight in (0, 100) or (replicas == 1 and not surge)
    options = [(above, replicas)] if above < replicas or zero_allowed else []
    if not tied(replicas) and (below or zero_allowed):
        options.append((below, replicas))
    if surge:
        options.append((above, replicas + 1))
        if not tied(replicas + 1) and (below or zero_allowed):
            options.append((below, replicas + 1))
    return min(options, key=lambda option: abs(option[0] * 100 / option[1] - weight), default=(0, replicas))
