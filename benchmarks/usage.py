"""What a process and its children use, read from /proc (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """`cpu` in seconds since the start, children that have ended included; `resident` and `peak` in MiB.

    `resident` is of the whole tree now, `peak` the most that the process itself has had.
    """

    cpu: float
    resident: float
    peak: float


def usage(pids: list[int]) -> Usage:
    """Of these processes and all below them, together."""
    tree = _tree(pids)
    cpu = sum(_ticks(pid) for pid in tree) / _TICKS
    resident = sum(_memory(pid, "VmRSS") for pid in tree)
    peak = sum(_memory(pid, "VmHWM") for pid in pids)
    return Usage(cpu, resident / 1024, peak / 1024)


def _tree(roots: list[int]) -> list[int]:
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    found = list(roots)
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def _parent(path: Path) -> int:
    fields = _stat(path)
    return int(fields[1]) if fields else 0


def _ticks(pid: int) -> int:
    """utime, stime, cutime and cstime: fields 14 to 17."""
    fields = _stat(Path(f"/proc/{pid}"))
    return sum(int(field) for field in fields[11:15])


def _stat(path: Path) -> list[str]:
    """The fields behind the command's name, which may hold spaces; none when the process has ended."""
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _memory(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)
