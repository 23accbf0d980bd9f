"""The walls around a renderer: no network, bounded memory, time, files and output, nothing of our environment.

A child is started through util-linux: `unshare` gives it a network namespace of its own with no interface up (inside
a user namespace where we are not root), `prlimit` bounds it. What this system allows is tried once. Where namespaces
are forbidden the child runs without, and `describe` says so.
"""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from reconciler.adapters import process

_PATH = "/usr/local/bin:/usr/bin:/bin"
_TRIAL_SECONDS = 10.0
_ULIMIT = (
    'ulimit -c 0; ulimit -v "$1"; ulimit -f "$2"; ulimit -n "$3"; test -z "$4" || ulimit -t "$4"; shift 4; exec "$@"'
)
_OPEN_FILES = 512
_PROCESSES = 512


class Walls(NamedTuple):
    """What this system gives: the command that cuts the network off, and who sets the limits."""

    unshare: tuple[str, ...]
    prlimit: str | None
    reason: str

    @property
    def own_users(self) -> bool:
        return "--user" in self.unshare


@functools.cache
def walls() -> Walls:
    """Tried once in the life of the process."""
    program = shutil.which("unshare", path=_PATH)
    prlimit = shutil.which("prlimit", path=_PATH)
    if program is None:
        return Walls((), prlimit, "`unshare` of util-linux is not installed")
    plain, with_users = (program, "--net"), (program, "--user", "--map-root-user", "--net")
    said = ""
    for command in (plain, with_users) if os.geteuid() == 0 else (with_users,):
        said = _trial(command)
        if not said:
            return Walls(command, prlimit, "")
    return Walls((), prlimit, said)


def _trial(command: tuple[str, ...]) -> str:
    """Empty when the command works, otherwise what it said."""
    try:
        done = process.run([*command, "true"], env={"PATH": _PATH}, timeout=_TRIAL_SECONDS)
    except process.ProcessError as error:
        return str(error)
    return "" if done.code == 0 else done.stderr.decode("utf-8", "replace").strip()[:200] or f"exit {done.code}"


def describe() -> str:
    """One sentence for people: what holds a renderer here, and what would be needed for more."""
    found = walls()
    limited = "prlimit" if found.prlimit else "ulimit"
    if found.unshare:
        how = "a network namespace" + (" in a user namespace" if found.own_users else "")
        return f"renderers run without network ({how}) and with limits on memory, time and files ({limited})"
    return (
        f"renderers run with limits on memory, time and files ({limited}) but WITH network: {found.reason}. "
        f"Install util-linux and allow unprivileged user namespaces, or grant CAP_SYS_ADMIN"
    )


def wrapper(
    *, memory: int, cpu_seconds: int | None = None, file_size: int = 0, network: bool = False, tied: bool = False
) -> tuple[str, ...]:
    """The words that go before a command. `memory` (address space) and `file_size` are in bytes. What is `tied` ends
    with the thread that started it, and so when this process is killed (where setpriv of util-linux is there).
    """
    found = walls()
    cut = () if network else found.unshare
    # Behind unshare: a new user namespace would take the wish away again (prctl(2), PR_SET_PDEATHSIG).
    setpriv = shutil.which("setpriv", path=_PATH) if tied else None
    cut += (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
    if found.prlimit is None:
        cpu = "" if cpu_seconds is None else str(cpu_seconds)
        amounts = (str(memory // 1024), str(file_size // 512), str(_OPEN_FILES), cpu)
        return (*cut, "/bin/sh", "-c", _ULIMIT, "sh", *amounts)
    limits = [f"--as={memory}", f"--fsize={file_size}", f"--nofile={_OPEN_FILES}", "--core=0"]
    if cpu_seconds is not None:
        limits.append(f"--cpu={cpu_seconds}")
    if not network and found.own_users:
        # Outside a user namespace of its own this limit would count everything else that the user runs.
        limits.append(f"--nproc={_PROCESSES}")
    return (*cut, found.prlimit, *limits, "--")


def environment(home: Path) -> dict[str, str]:
    """All that a jailed tool sees of the world: no variable of ours, a home that is its own."""
    return {"PATH": _PATH, "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8"}
