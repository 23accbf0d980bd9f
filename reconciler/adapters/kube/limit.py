"""How many requests may be on their way at once: a queue in order of arrival, and a window that the server narrows.

The window moves as TCP's does (additive increase, multiplicative decrease; RFC 5681): halved when the server says
429, wider by one after a run of answers. With API Priority and Fairness a 429 means that our share is used up, and
more requests at once would only be refused again.
"""

from __future__ import annotations

import threading
from collections import deque
from enum import Enum

GROW_AFTER = 32
"""Answers in a row for one more request at once: from 1 to 8 in a bit over 200 answers."""


class Outcome(Enum):
    """How a request ended, as far as the window cares. A lost connection says nothing about load."""

    ANSWERED = "answered"
    BUSY = "busy"
    LOST = "lost"


class Window:
    """The number of requests that may be on their way. A value with no lock: `Limit` guards it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.allowed = most
        self.epoch = 0
        self._answered = 0

    def observe(self, outcome: Outcome, epoch: int) -> None:
        """`epoch` is that of the start: requests refused together are one sign of load, and narrow once."""
        if outcome is Outcome.BUSY:
            self._answered = 0
            if epoch == self.epoch:
                self.allowed = max(1, self.allowed // 2)
                self.epoch += 1
        elif outcome is Outcome.ANSWERED and self.allowed < self.most:
            self._answered += 1
            if self._answered >= GROW_AFTER:
                self._answered = 0
                self.allowed += 1


class Limit:
    """Lets requests start in the order in which they came, so that one large batch does not hold up a small one."""

    def __init__(self, most: int) -> None:
        self.window = Window(most)
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: deque[threading.Lock] = deque()

    def enter(self) -> int:
        """Wait for a turn; the epoch to give to `leave`."""
        with self._lock:
            if self._running < self.window.allowed and not self._waiting:
                self._running += 1
                return self.window.epoch
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()
        return self.window.epoch

    def leave(self, epoch: int, outcome: Outcome) -> None:
        with self._lock:
            self.window.observe(outcome, epoch)
            self._running -= 1
            while self._waiting and self._running < self.window.allowed:
                self._running += 1
                self._waiting.popleft().release()
