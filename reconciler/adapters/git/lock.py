"""One writer of a mirror at a time, among threads and among processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.outcome import Reason, Transient

_LOOK_AGAIN = 0.02


class MirrorLock:
    """A lock that dies with its holder, and remembers in its file which child the holder had.

    When a holder is killed, the kernel frees the file but git lives on in the mirror. The next holder ends that group
    first, so that there are never two writers and no stranger is left.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()

    @contextlib.contextmanager
    def held(self, timeout: float) -> Iterator[None]:
        """Raises Transient(SOURCE_UNREACHABLE) when another holder does not end within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        if not self._threads.acquire(timeout=timeout):
            raise _busy(timeout)
        try:
            with self._path.open("a+b") as file:
                while not _try_lock(file.fileno()):
                    if time.monotonic() > deadline:
                        raise _busy(timeout)
                    time.sleep(_LOOK_AGAIN)
                _end_orphan(self._path.read_text())
                try:
                    yield
                finally:
                    file.truncate(0)
        finally:
            self._threads.release()

    def record(self, pid: int) -> None:
        """Note the child that writes to the mirror now; to be called by the holder."""
        self._path.write_text(_signature(pid) or "")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _signature(pid: int) -> str | None:
    """What tells this process from a later one of the same number: the namespace of the number, and the start time."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return None
    # proc(5): the name is in brackets and may hold anything; the start time is field 22.
    return f"{pid} {namespace} {state.rpartition(')')[2].split()[19]}"


def _end_orphan(recorded: str) -> None:
    pid, _, _ = recorded.partition(" ")
    if pid.isdecimal() and _signature(int(pid)) == recorded:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(pid), signal.SIGKILL)


def _busy(timeout: float) -> Transient:
    return Transient(
        Reason.SOURCE_UNREACHABLE,
        f"another fetch of this repository has been running for {timeout:g} s. It is tried again.",
    )
