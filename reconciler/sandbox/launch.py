"""Starts one part and waits until it is ready."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from reconciler.sandbox import ports, process
from reconciler.sandbox.control import Control
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.home import Home
from reconciler.sandbox.parts import Spec

READY_SECONDS = 180.0
POLL_SECONDS = 0.05
PORT_TRIES = 5
ROOM_MIB = 256
"""What a sandbox writes at first: etcd alone sets 130 MiB aside."""
PORT_TAKEN = "address already in use"
# What of the caller's environment reaches a part: no credentials, no KUBECONFIG, no proxy.
_INHERITED = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR")


def launch(home: Home, control: Control, spec: Spec, binary: Path, port: int | None = None) -> None:
    """Start `spec` and return when it is ready.

    `port` is one that must be used: the user's, or that of a restart. Without it a free one is chosen, and another one
    when a stranger takes it first. Raises SandboxError with the last lines of the part's log.
    """
    _check_space(home, spec)
    for attempt in range(PORT_TRIES):
        if spec.port:
            _settle_port(home, spec, port)
        _spawn(home, control, spec, binary)
        failure = _await_ready(home, control, spec)
        if failure is None:
            spec.finish(home)
            return
        if PORT_TAKEN not in failure or port or attempt == PORT_TRIES - 1:
            raise SandboxError(failure)


def _check_space(home: Home, spec: Spec) -> None:
    """Before the part, whose own words about a full disk are a trace of calls."""
    free = shutil.disk_usage(home.directory).free >> 20
    if free < ROOM_MIB:
        raise SandboxError(
            f"not enough disk space to start {spec.title}: a sandbox needs about {ROOM_MIB} MiB on the disk of "
            f"{home.directory}, where {free} MiB are free. Free some space, or point XDG_STATE_HOME to a bigger disk."
        )


def _settle_port(home: Home, spec: Spec, port: int | None) -> None:
    if port and not ports.is_free(port):
        raise SandboxError(
            f"{spec.title} cannot listen on port {port} of 127.0.0.1, because another process does: "
            f"stop that one, or name another port, or none to have a free one chosen"
        )
    home.keep_port(spec.part, port or ports.choose())


def _spawn(home: Home, control: Control, spec: Spec, binary: Path) -> None:
    directory = spec.working_directory(home)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.set_log_aside(spec.part)
    spec.prepare(home)
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ} | dict(spec.environment(home))
    argv = spec.command(home, binary, home.port(spec.part) if spec.port else 0)
    control.spawn(spec.part, argv, env, directory, home.log(spec.part))


def _await_ready(home: Home, control: Control, spec: Spec) -> str | None:
    """None when ready, else what went wrong."""
    deadline = time.monotonic() + READY_SECONDS
    log = home.log(spec.part)
    while True:
        code = control.parts()[spec.part].code
        if code is not None:
            return f"{spec.title} ended with {describe_exit(code)} before it was ready\n{process.tail(log)}\nLog: {log}"
        if spec.ready(home):
            return None
        if time.monotonic() > deadline:
            return (
                f"{spec.title} was not ready after {READY_SECONDS:.0f} s; is the machine very busy?\n"
                f"{process.tail(log)}\nLog: {log}"
            )
        time.sleep(POLL_SECONDS)


def describe_exit(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {-code}"
