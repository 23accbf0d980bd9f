"""The work queue: one entry and one worker per key; the shortest wait and the highest priority win.

The contract is controller-runtime's priority queue (designs/priorityqueue.md there): an entry is a key, never an
event; adding a key that is already waiting merges into it; a key that a worker holds is not handed out again before
`done`, and what was added meanwhile is handed out after it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.core.backoff import delay

Key = TypeVar("Key", bound=Hashable)

LOW = -100
"""The priority of start-up and resync work: a real change goes first."""
NORMAL = 0


@dataclass(slots=True)
class _Waiting:
    due: float
    priority: int
    ticket: int


class WorkQueue(Generic[Key]):
    """Safe for many threads. `monotonic` gives seconds; `jitter` gives a number from 0 to 1 for the backoff."""

    def __init__(self, monotonic: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._now = monotonic
        self._jitter = jitter
        self._changed = threading.Condition()
        self._waiting: dict[Key, _Waiting] = {}
        self._ready: list[tuple[int, int, Key]] = []
        self._delayed: list[tuple[float, int, Key]] = []
        self._held: set[Key] = set()
        self._again: dict[Key, tuple[float, int]] = {}
        self._failures: dict[Key, int] = {}
        self._tickets = itertools.count()
        self._closed = False

    def add(self, key: Key, *, after: float = 0.0, priority: int = NORMAL) -> None:
        """Hand out `key` in `after` seconds or sooner. A closed queue takes nothing."""
        with self._changed:
            if self._closed:
                return
            due = self._now() + max(after, 0.0)
            if key in self._held:
                earlier = self._again.get(key)
                if earlier is not None:
                    due, priority = min(due, earlier[0]), max(priority, earlier[1])
                self._again[key] = (due, priority)
                return
            self._enqueue(key, due, priority)
            self._changed.notify()

    def retry(self, key: Key, *, at_least: float = 0.0) -> float:
        """Add `key` after a failure: the wait doubles with each failure in a row. Returns the wait in seconds."""
        with self._changed:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
        wait = max(delay(failures, jitter=self._jitter()), at_least)
        self.add(key, after=wait)
        return wait

    def forgive(self, key: Key) -> None:
        """Forget the failures of `key`: its next failure waits the shortest time again."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self) -> Key | None:
        """Wait for a key that is due and hold it until `done`; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                self._ripen()
                while self._ready:
                    _, ticket, key = heapq.heappop(self._ready)
                    entry = self._waiting.get(key)
                    if entry is not None and entry.ticket == ticket:
                        del self._waiting[key]
                        self._held.add(key)
                        return key
                self._changed.wait(self._until_next())
            return None

    def done(self, key: Key) -> None:
        """Give back a key that `get` handed out; what was added while it was held waits for its turn now."""
        with self._changed:
            self._held.discard(key)
            again = self._again.pop(key, None)
            if again is not None and not self._closed:
                self._enqueue(key, *again)
                self._changed.notify()

    def close(self) -> None:
        """Wake every `get` with None; drop what waits (the world is read again at the next start)."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """How many keys wait, due or not."""
        with self._changed:
            return len(self._waiting)

    def idle(self) -> bool:
        """True when no key is held and none is due."""
        with self._changed:
            self._ripen()
            live = any(entry.due <= self._now() for entry in self._waiting.values())
            return not self._held and not live

    def _enqueue(self, key: Key, due: float, priority: int) -> None:
        entry = self._waiting.get(key)
        if entry is not None:
            if entry.due <= due and entry.priority >= priority:
                return
            due, priority = min(entry.due, due), max(entry.priority, priority)
        ticket = next(self._tickets)
        self._waiting[key] = _Waiting(due, priority, ticket)
        if due <= self._now():
            heapq.heappush(self._ready, (-priority, ticket, key))
        else:
            heapq.heappush(self._delayed, (due, ticket, key))

    def _ripen(self) -> None:
        now = self._now()
        while self._delayed and self._delayed[0][0] <= now:
            _, ticket, key = heapq.heappop(self._delayed)
            entry = self._waiting.get(key)
            if entry is not None and entry.ticket == ticket:
                heapq.heappush(self._ready, (-entry.priority, ticket, key))

    def _until_next(self) -> float | None:
        while self._delayed:
            due, ticket, key = self._delayed[0]
            entry = self._waiting.get(key)
            if entry is not None and entry.ticket == ticket:
                return max(due - self._now(), 0.0)
            heapq.heappop(self._delayed)
        return None
