"""What the tests of the sandbox look at: processes and the time until something is true."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
DEADLINE_SECONDS = 60.0


def eventually(what: str, look: Callable[[], T]) -> T:
    """The first true answer of `look`; fails when there is none in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS:.0f} s: {what}"
        time.sleep(0.05)
    return seen


def alive(pids: Iterable[int]) -> list[int]:
    """Those that run; a zombie is dead."""
    return [pid for pid in pids if _state(pid) not in ("", "Z", "X")]


def processes_that_mention(text: str) -> list[int]:
    """The living processes whose command line or working directory contains `text`."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _mentions(entry, text)]


def _mentions(entry: Path, text: str) -> bool:
    try:
        return text in (entry / "cmdline").read_bytes().decode(errors="replace") or text in str(
            (entry / "cwd").readlink()
        )
    except OSError:
        return False


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
