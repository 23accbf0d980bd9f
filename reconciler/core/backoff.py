"""How long to wait before the next try."""

from __future__ import annotations

from math import log


def delay(failures: int, *, first: float = 1.0, factor: float = 2.0, most: float = 300.0, jitter: float) -> float:
    """Seconds to wait after `failures` failures in a row: `first`, growing by `factor`, at most `most`; 0 after none.

    `jitter` (0..1, a random number) spreads the wait between its half and its whole, so that what failed together is
    not tried together, while the wait never collapses to nothing ("equal jitter", AWS Architecture Blog, Exponential
    Backoff And Jitter).
    """
    if failures <= 0:
        return 0.0
    grows_past_most = (failures - 1) * log(factor) >= log(most / first)
    whole = most if grows_past_most else first * factor ** (failures - 1)
    return whole / 2 + whole / 2 * jitter
