"""What a part of a sandbox is doing, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from reconciler.sandbox.control import Running
from reconciler.sandbox.home import Home
from reconciler.sandbox.launch import describe_exit
from reconciler.sandbox.parts import Part


@dataclass(frozen=True)
class PartStatus:
    """`state` is running, paused or ended (with the code or signal); `memory` is resident, in bytes; `since` is UTC."""

    part: str
    state: str
    pid: int
    port: int | None
    memory: int
    since: str
    log: str


def part_status(home: Home, part: Part, seen: Running) -> PartStatus:
    try:
        port = home.port(part)
    except KeyError:
        port = None
    state, memory = _process(seen.pid) if seen.code is None else (f"ended with {describe_exit(seen.code)}", 0)
    since = datetime.fromtimestamp(seen.since, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return PartStatus(part.value, state, seen.pid, port, memory, since, str(home.log(part)))


def _process(pid: int) -> tuple[str, int]:
    """State and resident bytes, from proc(5)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return "ended", 0
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    state = "paused" if fields["State"].split()[0] in "Tt" else "running"
    return state, int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
