"""When a request is sent again, and after how long. Rules of values only: time is passed in.

Three things go wrong in three ways. A lost connection: a server that restarts is back within seconds, and the caller
has longer waits of its own. 429: the server lives and says when. 5xx: sometimes a moment of the server's, sometimes a
webhook that is down for good, so a few tries, and for a batch a few for all of it.
"""

from __future__ import annotations

import threading

from reconciler.core.backoff import delay

LOST_FOR = 3.0
"""Seconds for which a server that does not answer is tried again."""

BUSY_FOR = 60.0
"""Seconds for which a server that says 429 is tried again."""

LONGEST_WISH = 20.0
"""Seconds of a Retry-After that are waited for here; a longer wish is handed to the caller."""

FAILURES = 3
"""Times that a 5xx is tried again."""

PASSING = frozenset({500, 502, 503, 504})
"""The 5xx that may pass; 501, 505 and the like are answers."""


class Budget:
    """The repetitions after a 5xx that a batch has in all: a webhook that is down must not cost each object its tries
    (after the retry throttling of gRPC, https://github.com/grpc/proposal/blob/master/A6-client-retries.md)."""

    def __init__(self, requests: int) -> None:
        self._left = max(FAILURES, requests // 10)
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0


def after_loss(losses: int, spent: float, *, stale: bool, jitter: float) -> float | None:
    """Seconds until the next try, None to give up. `spent` is the time since the first try in seconds.

    `stale`: the connection had been kept from an earlier request, which the server may have closed meanwhile; that
    says nothing about the server, and a new connection is tried at once.
    """
    if spent >= LOST_FOR:
        return None
    if stale and losses == 1:
        return 0.0
    return delay(losses, first=0.1, most=1.0, jitter=jitter)


def after_busy(times: int, spent: float, wish: float | None, *, jitter: float) -> float | None:
    """Seconds until the next try after 429. `wish` is the server's Retry-After; what was told to all is spread."""
    if spent >= BUSY_FOR or (wish or 0.0) > LONGEST_WISH:
        return None
    if wish is None:
        return delay(times, first=0.5, most=8.0, jitter=jitter)
    return max(wish + jitter * max(0.25, wish / 4), delay(times, first=0.1, most=2.0, jitter=jitter))


def after_failure(times: int, wish: float | None, budget: Budget, *, jitter: float) -> float | None:
    """Seconds until the next try after a 5xx that may pass."""
    if times > FAILURES or (wish or 0.0) > LONGEST_WISH or not budget.take():
        return None
    return max(wish or 0.0, delay(times, first=0.2, factor=3.0, most=5.0, jitter=jitter))
