"""Runs one command and kills all of its process group as soon as the process that asked for it is gone.

Started as a script with nothing imported from Dispatch. Its standard input is a pipe whose other end only the parent
holds: the kernel closes it however the parent dies. PR_SET_PDEATHSIG alone is not enough, because it reaches one
process and not what that process started (a compiler under `go build`).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys


def main(argv: list[str]) -> int:
    child = os.posix_spawn(
        argv[0],
        argv,
        os.environ,
        setpgroup=0,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = os.pidfd_open(child)
    readable, _, _ = select.select([sys.stdin.fileno(), ended], [], [])
    if ended not in readable:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
