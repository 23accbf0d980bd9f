"""Clocks that ring: each does one thing, it adds a key to the queue (APScheduler 3)."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta


class Timers:
    """One interval per key. A timer that was late rings once, not once for each time it missed."""

    def __init__(self, ring: Callable[[Hashable], None]) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        self._ring = ring
        self._every: dict[str, float] = {}
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        self._scheduler.start()

    def every(self, key: Hashable, seconds: float) -> None:
        """Ring for `key` each `seconds`; the first ring is at a random point of the first interval, so that a
        thousand repositories do not ask at once. The same call again changes nothing."""
        name = str(key)
        if self._every.get(name) == seconds:
            return
        self._every[name] = seconds
        first = datetime.now(UTC) + timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311
        self._scheduler.add_job(
            self._ring, "interval", args=(key,), seconds=seconds, id=name, next_run_time=first, replace_existing=True
        )

    def forget(self, key: Hashable) -> None:
        if self._every.pop(str(key), None) is not None:
            self._scheduler.remove_job(str(key))

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
