"""The threads that take keys from the queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from reconciler.engine.progress import Abandoned
from reconciler.engine.queue import WorkQueue

Key = TypeVar("Key", bound=Hashable)
log = logging.getLogger(__name__)


class Workers(Generic[Key]):
    """`work(key)` reads the world and acts; it settles its own retries. An exception that it lets pass is a defect of
    Dispatch: it is logged with its trace, the key is retried, and the thread lives on.
    """

    def __init__(self, queue: WorkQueue[Key], work: Callable[[Key], None], count: int, name: str) -> None:
        self._queue = queue
        self._work = work
        self._threads = [threading.Thread(target=self._loop, name=f"{name}-{n}", daemon=True) for n in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Take no more keys."""
        self._queue.close()

    def join(self, deadline: float) -> bool:
        """Wait for the runs under way; False when some are still running at `deadline` (of `time.monotonic`)."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _loop(self) -> None:
        while (key := self._queue.get()) is not None:
            try:
                self._work(key)
            except Abandoned:
                log.debug("a run was given up", extra={"key": str(key)})
            except Exception:
                log.exception("a run failed in a way that it should not", extra={"key": str(key)})
                self._queue.retry(key)
            finally:
                self._queue.done(key)
