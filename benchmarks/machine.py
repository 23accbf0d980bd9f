"""The machine that the figures are of."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path


def cores() -> int:
    return len(os.sched_getaffinity(0))


def load() -> float:
    """Processes that run or wait to, averaged over the last minute."""
    return os.getloadavg()[0]


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def title() -> str:
    return f"{cores()} cores, {processor()}, Linux {platform.release()}, Python {platform.python_version()}"


def wait_until_quiet(most: float, within: float, progress: Callable[[str], None]) -> None:
    """Wait until the load is below `most`, for `within` seconds: what others compute is in every figure."""
    deadline = time.monotonic() + within
    told = False
    while load() >= most and time.monotonic() < deadline:
        if not told:
            progress(f"the load is {load():.1f}: waiting up to {within:.0f} s until it is below {most:g} ...")
            told = True
        time.sleep(2)
    if load() >= most:
        progress(f"the load is still {load():.1f}: the figures are of a busy machine")
