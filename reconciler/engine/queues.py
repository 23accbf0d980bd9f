"""One queue for each kind: a Git host that does not answer never holds up an Application."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from reconciler.engine.keys import Key
from reconciler.engine.queue import NORMAL, WorkQueue


class Queues:
    """Routes a key to the queue of its kind; each has workers of its own."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._queues: dict[str, WorkQueue[Key]] = {}

    def of(self, kind: str) -> WorkQueue[Key]:
        """The queue of a kind; made when it is first asked for."""
        with self._lock:
            if kind not in self._queues:
                self._queues[kind] = WorkQueue(self._monotonic, random.random)
            return self._queues[kind]

    def add(self, key: Key, *, after: float = 0.0, priority: int = NORMAL) -> None:
        self.of(key.kind).add(key, after=after, priority=priority)

    def retry(self, key: Key, *, at_least: float = 0.0) -> float:
        return self.of(key.kind).retry(key, at_least=at_least)

    def forgive(self, key: Key) -> None:
        self.of(key.kind).forgive(key)
