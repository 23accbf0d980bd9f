"""The programs of a demo that stay while it plays, and, with KEEP=1, after it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_STOP_SECONDS = 15.0


class Programs:
    """Each has `NAME.log` and `NAME.pid` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> Path:
        """In a session of its own, so that Ctrl-C reaches it by way of `stop` alone; its log."""
        path = self._folder / f"{name}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._started[name] = process
        (self._folder / f"{name}.pid").write_text(f"{process.pid} {_began(process.pid)}")
        return path

    def stop(self) -> None:
        for process in self._started.values():
            process.send_signal(signal.SIGTERM)
        for process in self._started.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def stop_kept(self) -> None:
        """What an earlier demo left, if the number has not gone to a stranger since."""
        for file in self._folder.glob("*.pid"):
            number, _, began = file.read_text().partition(" ")
            if began and _began(int(number)) == began:
                os.kill(int(number), signal.SIGTERM)

    def how_to_stop(self) -> str:
        """The command that ends them all."""
        pids = " ".join(str(process.pid) for process in self._started.values())
        return f"kill {pids}     # {', '.join(self._started)}"

    def __bool__(self) -> bool:
        return bool(self._started)


def _began(number: int) -> str:
    """When a process began, in ticks since the machine did (proc(5), field 22 of stat); empty for one that is gone.

    Numbers are used again, soon where there are few of them, and what a command line says may be said by a stranger's,
    too; the two together belong to one process alone.
    """
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # Counted behind the name, in which there may be spaces.
    return stat.rpartition(")")[2].split()[19]
