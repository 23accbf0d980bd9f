"""Waits grow, are spread, and end somewhere."""

from __future__ import annotations

import pytest

from reconciler.core.backoff import delay


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (10**6, 300)])
def test_each_failure_doubles_the_wait_up_to_the_most(failures: int, seconds: float) -> None:
    assert delay(failures, jitter=1.0) == seconds


def test_jitter_spreads_between_half_and_whole() -> None:
    assert delay(4, jitter=0.0) == 4
    assert delay(4, jitter=0.5) == 6
    assert delay(4, jitter=1.0) == 8


def test_first_factor_and_most_are_free() -> None:
    assert delay(3, first=0.1, factor=3.0, most=10, jitter=1.0) == pytest.approx(0.9)
    assert delay(1, first=20.0, most=10, jitter=1.0) == 10
    assert delay(50, factor=1.0, jitter=1.0) == 1.0
