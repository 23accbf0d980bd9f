"""The only spawner of children: one-shot commands by `run`, and `collect` for a child that a library started.

A child is an argument list, never a line for a shell. It leads a session of its own, so that the end of a command is
the end of its whole process group: what it left behind is killed when it exits, when its time is over, when it writes
too much and when the caller is interrupted.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

MAX_OUTPUT = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_STDERR_KEPT = 16 * 1024


@dataclass(frozen=True, slots=True)
class Completed:
    """How a child ended. `code` is negative when a signal ended it: -9 for SIGKILL."""

    code: int
    stdout: bytes
    stderr: bytes


class ProcessError(Exception):
    """A child gave no answer. `program` is its name; no other argument and no environment is kept or shown."""

    def __init__(self, program: str, message: str) -> None:
        super().__init__(message)
        self.program = program


class NotFound(ProcessError):
    """The program is not on PATH or may not be executed, or the working directory is not there."""


class TimedOut(ProcessError):
    """Killed after `seconds`. `stderr` is the last 16 KiB of what it had said, not redacted."""

    def __init__(self, program: str, seconds: float, stderr: bytes) -> None:
        super().__init__(program, f"{program} did not end in {seconds:g} s and was killed")
        self.seconds = seconds
        self.stderr = stderr


class OutputTooLarge(ProcessError):
    """Killed because it wrote more than `limit` bytes to stdout and stderr together."""

    def __init__(self, program: str, limit: int) -> None:
        super().__init__(program, f"{program} wrote more than {limit} bytes and was killed")
        self.limit = limit


class Leash:
    """Children that another thread can end together while somebody waits for each of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: set[int] = set()
        self.pulled = False

    @contextlib.contextmanager
    def holding(self, child: subprocess.Popen[bytes]) -> Iterator[None]:
        """For the time of a `collect`, which ends the group of a child that is killed."""
        descriptor = os.pidfd_open(child.pid)
        try:
            with self._changed:
                self._held.add(descriptor)
                if self.pulled:
                    _end(descriptor)
            yield
        finally:
            with self._changed:
                self._held.discard(descriptor)
                self._changed.notify_all()
            os.close(descriptor)

    def pull(self, within: float) -> bool:
        """Kill these children, and from now on each new one; True when nothing of them is left within the time."""
        with self._changed:
            self.pulled = True
            for descriptor in self._held:
                _end(descriptor)
            return self._changed.wait_for(lambda: not self._held, within)


def _end(descriptor: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    stdin: bytes = b"",
    timeout: float,
    max_output: int = MAX_OUTPUT,
    wrapper: Sequence[str] = (),
    leash: Leash | None = None,
) -> Completed:
    """Run a command to its end and return what it wrote, whatever its exit code.

    `env` is the child's whole environment; without it the child gets PATH and LC_ALL only, so that no token of this
    process reaches a tool by accident. `timeout` is in seconds. `wrapper` is put before `argv` (a jail, `prlimit`);
    errors still name `argv[0]`.

    Raises NotFound, TimedOut, OutputTooLarge, ProcessError.
    """
    child = start([*wrapper, *argv], env=env, cwd=cwd, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL)
    try:
        with leash.holding(child) if leash is not None else contextlib.nullcontext():
            return collect(child, stdin=stdin, timeout=timeout, max_output=max_output, program=Path(argv[0]).name)
    finally:
        kill(child)


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a child that leads its own group, with pipes for its outputs; end it by `collect` or `kill`.

    Raises NotFound; ProcessError when the machine has no process or descriptor to give, or cannot run the file.
    """
    program = Path(argv[0]).name
    try:
        return subprocess.Popen(
            list(argv),
            env=dict(minimal_environment() if env is None else env),
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if cwd is not None and not Path(cwd).is_dir():
            raise NotFound(program, f"cannot start {program}: the directory {cwd} is not there") from error
        raise NotFound(program, f"{program} is not installed, or not on PATH") from error
    except (PermissionError, NotADirectoryError) as error:
        raise NotFound(program, f"cannot start {program}: {error.strerror}: {error.filename}") from error
    except OSError as error:
        raise ProcessError(program, f"cannot start {program}: {error.strerror}") from error


def minimal_environment() -> dict[str, str]:
    """What a child gets when nothing is said: where programs are, and messages in English."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def collect(
    child: subprocess.Popen[bytes], *, stdin: bytes = b"", timeout: float, max_output: int = MAX_OUTPUT, program: str
) -> Completed:
    """Feed and drain a child that leads its own group until it ends; then nothing of the group is alive.

    Raises TimedOut, OutputTooLarge.
    """
    try:
        with contextlib.closing(_Transfer(child, stdin, max_output)) as transfer:
            outcome = transfer.until(time.monotonic() + timeout)
    finally:
        kill(child)
    if outcome == "late":
        raise TimedOut(program, timeout, bytes(transfer.stderr[-_STDERR_KEPT:]))
    if outcome == "large":
        raise OutputTooLarge(program, max_output)
    return Completed(child.returncode, bytes(transfer.stdout), bytes(transfer.stderr))


def kill(child: subprocess.Popen[bytes]) -> None:
    """End a child's whole group at once, reap the child and close its pipes. Doing it twice does no harm."""
    if child.returncode is None:
        # Before the child is reaped its id cannot be given to another process, so this never hits a stranger.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret replaced by `***`, also where it is percent-encoded or in base64.

    Each line of a secret of many lines (a key) counts as a secret too.
    """
    forms: set[str] = set()
    for secret in secrets:
        if not secret:
            continue
        encoded = b64encode(secret.encode()).decode().rstrip("=")
        forms |= {secret, quote(secret), quote(secret, safe=""), encoded}
        forms |= {line for line in secret.splitlines() if len(line) >= 16}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


class _Transfer:
    """The bytes between us and one child."""

    def __init__(self, child: subprocess.Popen[bytes], stdin: bytes, limit: int) -> None:
        self.stdout, self.stderr = bytearray(), bytearray()
        self._child, self._unsent, self._limit = child, memoryview(stdin), limit
        self._exit = os.pidfd_open(child.pid)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._exit, selectors.EVENT_READ)
        for pipe, buffer in ((child.stdout, self.stdout), (child.stderr, self.stderr)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe.fileno(), selectors.EVENT_READ, buffer)
        if child.stdin is not None and stdin:
            os.set_blocking(child.stdin.fileno(), False)
            self._selector.register(child.stdin.fileno(), selectors.EVENT_WRITE)
        elif child.stdin is not None:
            child.stdin.close()

    def until(self, deadline: float) -> str:
        """Move bytes until the child ends ("done"), the deadline passes ("late") or it wrote too much ("large")."""
        while True:
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            ended = any(key.fd == self._exit for key, _ in ready)
            for key, _ in ready:
                if key.data is not None:
                    self._read(key.fd, key.data, whole=ended)
                elif key.fd != self._exit:
                    self._write(key.fd)
            if len(self.stdout) + len(self.stderr) > self._limit:
                return "large"
            if ended:
                return "done"
            if time.monotonic() >= deadline:
                return "late"

    def _read(self, fd: int, buffer: bytearray, *, whole: bool) -> None:
        """One chunk; or, once the child has ended, all that it left in the pipe."""
        while True:
            try:
                chunk = os.read(fd, _CHUNK)
            except BlockingIOError:
                return
            buffer += chunk
            if not chunk:
                self._selector.unregister(fd)
            if not chunk or not whole or len(buffer) > self._limit:
                return

    def _write(self, fd: int) -> None:
        try:
            self._unsent = self._unsent[os.write(fd, self._unsent[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            # The child does not want the rest; its exit code and its words say why.
            self._unsent = self._unsent[:0]
        if not self._unsent:
            self._selector.unregister(fd)
            assert self._child.stdin is not None
            self._child.stdin.close()

    def close(self) -> None:
        self._selector.close()
        os.close(self._exit)
