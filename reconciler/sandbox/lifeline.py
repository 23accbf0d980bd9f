"""Runs one command and kills all of its process group as soon as the process that asked for it is gone.

Run as a script with nothing imported from Dispatch. Its standard input is a pipe whose other end only the parent
holds: the kernel closes it however the parent dies. PR_SET_PDEATHSIG alone is not enough, because it reaches one
process and not what that process started (a compiler under `go build`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading


def main(argv: list[str]) -> int:
    child = os.posix_spawn(
        argv[0],
        argv,
        os.environ,
        setpgroup=0,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
    )
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    threading.Thread(target=kill_when_orphaned, args=(child,), daemon=True).start()
    status = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(status) & 0xFF


def kill_when_orphaned(child: int) -> None:
    while os.read(0, 1024):
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
