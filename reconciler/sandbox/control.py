"""Speaks to the supervisor of a sandbox: launch one, find a running one, ask it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.sandbox import process
from reconciler.sandbox.errors import SandboxError

SOCKET = "control.sock"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Running:
    """What the supervisor knows of one part; `code` is None while it runs, negative for a signal."""

    pid: int
    code: int | None
    since: float


class Control:
    """One sandbox's supervisor, reached over the Unix socket in the sandbox's directory."""

    def __init__(self, directory: Path, child: subprocess.Popen[bytes] | None = None) -> None:
        self.directory = directory
        self._child = child

    @classmethod
    def launch(cls, directory: Path, log: Path) -> Control:
        """Start a supervisor that dies with this process, until `detach`."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            (directory / SOCKET).unlink(missing_ok=True)
            with _address(directory) as address:
                listener.bind(address)
            listener.listen(16)
            return cls(directory, process.spawn_supervisor(listener.fileno(), log))

    @classmethod
    def find(cls, directory: Path) -> Control | None:
        """The running supervisor of `directory`; None when there is none, a stale socket included."""
        control = cls(directory)
        try:
            control.parts()
        except SandboxError:
            return None
        return control

    @property
    def owned(self) -> bool:
        """Whether the supervisor dies with this process."""
        return self._child is not None

    def parts(self) -> dict[str, Running]:
        return {name: Running(**part) for name, part in self._ask({"do": "list"})["parts"].items()}

    def spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> int:
        request = {"do": "spawn", "name": name, "argv": list(argv), "env": dict(env), "cwd": str(cwd), "log": str(log)}
        return int(self._ask(request)["pid"])

    def signal(self, name: str, number: signal.Signals) -> None:
        self._ask({"do": "signal", "name": name, "signal": int(number)})

    def detach(self) -> None:
        """Let the supervisor outlive this process; only `stop` ends it now."""
        self._ask({"do": "detach"})
        if self._child is not None:
            self._child.returncode = 0  # We no longer wait for it, and Popen must not warn about that.
            self._child = None

    def wait(self) -> None:
        """Until an owned supervisor ends."""
        if self._child is not None:
            self._child.wait()

    def stop(self) -> None:
        """End every part and the supervisor; returns when they are gone. Nothing happens when they are gone already."""
        try:
            self._ask({"do": "stop"})
        except SandboxError:
            if self._child is not None:
                self._child.kill()
        if self._child is not None:
            self._child.wait()
            if self._child.stdin:
                self._child.stdin.close()
            self._child = None

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, _address(self.directory) as address:
                connection.settimeout(ANSWER_SECONDS)
                connection.connect(address)
                connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile("rb") as stream:
                    answer = json.loads(stream.readline() or b"{}")
        except (OSError, ValueError) as error:
            raise SandboxError(f"the sandbox in {self.directory} is not running ({error})") from error
        if "error" in answer:
            raise SandboxError(f"the sandbox in {self.directory} refused to {request['do']}: {answer['error']}")
        return answer  # type: ignore[no-any-return]


@contextmanager
def _address(directory: Path) -> Iterator[str]:
    """A short name for the socket: sun_path holds 107 bytes (unix(7)), and a test's directory alone may have more."""
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)
