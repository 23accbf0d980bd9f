"""One build at a time on a machine: two would share two cores and finish no sooner, and could race for one folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, purpose: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the file lock at `path`; the kernel frees it when the holder dies, so no lock is ever stale."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for {_holder(path)} ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"process {os.getpid()}, which is {purpose}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or "another dispatch process"
