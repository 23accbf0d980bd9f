"""The one place of the sandbox where processes are started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LIFELINE = Path(__file__).with_name("lifeline.py")
SUPERVISOR = Path(__file__).with_name("supervisor.py")


def run(
    argv: Sequence[str],
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Run to the end with both outputs appended to `log`; returns the exit code.

    The command and all that it started die with the caller, even when that is killed with SIGKILL.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    reader, writer = os.pipe()
    guarded = [sys.executable, "-I", "-S", str(LIFELINE), *argv]
    with log.open("ab") as file:
        child = subprocess.Popen(guarded, stdin=reader, stdout=file, stderr=file, cwd=cwd, env=env)
    os.close(reader)
    try:
        return child.wait()
    finally:
        # Closing the pipe is what ends the whole group when we leave early (Ctrl-C).
        os.close(writer)
        child.wait()


def spawn_supervisor(listener: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a supervisor in a session of its own; it ends when its standard input does, unless told to detach."""
    argv = [sys.executable, "-I", "-S", str(SUPERVISOR), str(listener)]
    with log.open("ab") as file:
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=file, stderr=file, pass_fds=[listener], start_new_session=True, cwd="/"
        )


def output(
    argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None, seconds: float = 120
) -> str:
    """What a short command prints; raises OSError or subprocess.SubprocessError."""
    done = subprocess.run(argv, env=env, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=True)
    return done.stdout


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return "    (no log was written)"
    return "\n".join(f"    {line[:400]}" for line in text.splitlines()[-lines:]) or "    (the log is empty)"
