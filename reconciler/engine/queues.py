"""One queue for each kind: a Git host that does not answer never holds up an Application."""

from __future__ import annotations

import random
from collections.abc import Callable

from reconciler.engine.keys import Key
from reconciler.engine.queue import NORMAL, WorkQueue


class Queues:
    """Routes a key to the queue of its kind; each has workers of its own."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.repositories: WorkQueue[Key] = WorkQueue(monotonic, random.random)
        self.applications: WorkQueue[Key] = WorkQueue(monotonic, random.random)

    def add(self, key: Key, *, after: float = 0.0, priority: int = NORMAL) -> None:
        self._of(key).add(key, after=after, priority=priority)

    def retry(self, key: Key, *, at_least: float = 0.0) -> float:
        return self._of(key).retry(key, at_least=at_least)

    def forgive(self, key: Key) -> None:
        self._of(key).forgive(key)

    def _of(self, key: Key) -> WorkQueue[Key]:
        return self.repositories if key.kind == "Repository" else self.applications
