"""The process that owns the parts of one sandbox: starts, signals and buries them, and decides nothing.

Run as a script with nothing imported from Dispatch, so that it is small and starts at once. It has one thread, because
PR_SET_PDEATHSIG (prctl(2)) is tied to the thread that forked. Three ties make sure that nothing outlives its owner:
standard input is a pipe from the parent, whose end of life is ours (until `detach`); the parts get SIGKILL from the
kernel when we die however we die; and we are the subreaper of all that the parts start.

Requests come over a listening Unix socket, inherited as the descriptor in argv[1]: one JSON object a line, one answer,
close. `spawn {name, argv, env, cwd, log}`, `signal {name, signal}`, `list`, `detach`, `stop`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
REQUEST_SECONDS = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


class Supervisor:
    """The parts by name: pid, code (None while it runs), since (Unix time of the start, or of the end)."""

    def __init__(self, listener: socket.socket) -> None:
        self.parts: dict[str, dict[str, Any]] = {}
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.stopping = False

    def serve(self) -> None:
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._asked_to_stop)
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)
        self.selector.register(wake, selectors.EVENT_READ, lambda: self._woken(wake))
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.selector.register(0, selectors.EVENT_READ, self._asked_to_stop)
        while not self.stopping:
            for key, _ in self.selector.select():
                key.data()

    def _asked_to_stop(self, *_: object) -> None:
        self.stopping = True

    def _woken(self, wake: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)
        self._bury()

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for part in self.parts.values():
                if part["pid"] == pid:
                    part.update(code=os.waitstatus_to_exitcode(status), since=time.time())

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.settimeout(REQUEST_SECONDS)
        with connection, connection.makefile("rwb") as stream:
            try:
                request = json.loads(stream.readline())
                self._bury()
                answer = self._answer(request)
            except (OSError, ValueError, KeyError, TypeError) as error:
                answer = {"error": str(error)}
            with contextlib.suppress(OSError):
                stream.write(json.dumps(answer).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        verb = request["do"]
        if verb == "spawn":
            return self._spawn(request)
        if verb == "signal":
            return self._signal(request["name"], request["signal"])
        if verb == "list":
            return {"pid": os.getpid(), "parts": self.parts}
        if verb == "detach":
            with contextlib.suppress(KeyError):
                self.selector.unregister(0)
            return {}
        if verb == "stop":
            self.end_all()
            self.stopping = True
            return {}
        raise ValueError(f"unknown request {verb!r}")

    def _spawn(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["name"]
        if name in self.parts and self.parts[name]["code"] is None:
            raise ValueError(f"{name} is running already")
        own = os.getpid()
        pid = os.fork()
        if pid == 0:
            become(request, own)
        self.parts[name] = {"pid": pid, "code": None, "since": time.time()}
        return {"pid": pid}

    def _signal(self, name: str, number: int) -> dict[str, Any]:
        part = self.parts[name]
        if part["code"] is None:
            # A part is not reaped before `_bury`, so its pid cannot have gone to a stranger.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(part["pid"], number)
        return {}

    def end_all(self) -> None:
        """Kill every part and what they started. The data is thrown away: nothing needs a graceful end."""
        for name in self.parts:
            self._signal(name, signal.SIGKILL)
        while True:
            for pid in children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return


def become(request: dict[str, Any], parent: int) -> None:
    """In the forked child: turn into the part, or write why not into its log."""
    try:
        os.setsid()
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.chdir(request["cwd"])
        os.execve(request["argv"][0], request["argv"], request["env"])  # noqa: S606 (a fork that becomes the part)
    except BaseException as error:
        os.write(2, f"could not start {request['name']}: {error}\n".encode())
    finally:
        os._exit(127)


def children() -> list[int]:
    """The pids whose parent we are, those that we inherited as a subreaper included."""
    own, found = str(os.getpid()), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "stat").read_text().rpartition(")")[2].split()[1] == own:
                    found.append(int(entry.name))
    return found


def main(argv: list[str]) -> None:
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    # A part that held the socket would look like a supervisor after our death.
    os.set_inheritable(int(argv[0]), False)
    with socket.socket(fileno=int(argv[0])) as listener:
        supervisor = Supervisor(listener)
        try:
            supervisor.serve()
        finally:
            supervisor.end_all()


if __name__ == "__main__":
    main(sys.argv[1:])
