"""The one module that starts git, through GitPython's `Git.execute` with literal argument lists.

Of GitPython only the spawning is used. Its wrappers turn keyword arguments into options of git, which is what its
advisories are about, and its `kill_after_timeout` looks for children with `pgrep` or `ps` and misses those that come
later. So `as_process` gives the child, in a session of its own, to `process.collect`, which ends the whole group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.adapters import process
from reconciler.model.outcome import Reason, Transient

Config = Sequence[tuple[str, str]]
NOWHERE = Path("/dev/null")
# Seconds for work without a network; joining the packs of a mirror of 1 GB is the longest.
_LOCAL_TIMEOUT = 300.0

# Nothing of the user's or the machine's git configuration, no prompt, no transport unless a call allows one. HOME is
# what libcurl looks for .netrc in.
_ENVIRONMENT: Mapping[str, str] = {
    "LC_ALL": "C",
    "HOME": str(NOWHERE),
    "XDG_CONFIG_HOME": str(NOWHERE),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": str(NOWHERE),
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_CONFIG: Config = (
    ("core.hooksPath", str(NOWHERE)),
    ("core.symlinks", "false"),
    ("core.fsmonitor", "false"),
    ("protocol.version", "2"),
    ("transfer.fsckObjects", "true"),
    # Harmless in old commits of real repositories; Gitaly ignores the same three.
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    # A pack arrives whole or not at all; unpacked objects would leave half a commit when git is killed.
    ("fetch.unpackLimit", "1"),
    ("fastimport.unpackLimit", "0"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
)
_KEPT = frozenset({"GIT_EXEC_PATH"})


class GitProgram:
    """Starts git, and knows its running children so that `close` can end them. Safe for many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._running: set[int] = set()
        self._closed = False

    def run(
        self,
        arguments: Sequence[str],
        *,
        git_dir: Path = NOWHERE,
        config: Config = (),
        env: Mapping[str, str] | None = None,
        timeout: float,
        stdin: bytes = b"",
        started: Callable[[int], None] | None = None,
    ) -> process.Completed:
        """Run git to its end. `started` is told the id of the child, which leads its process group.

        Raises process.TimedOut, process.OutputTooLarge; Transient: TOOL_MISSING without git, INTERNAL when the machine
        gives no process or descriptor.
        """
        pipe = subprocess.PIPE if stdin else None
        child = self._spawn(arguments, environment(git_dir, config, env), stdin=pipe)
        try:
            with self._known(child.pid):
                if started is not None:
                    started(child.pid)
                return process.collect(child, stdin=stdin, timeout=timeout, program=f"git {arguments[0]}")
        except OSError as error:
            raise _failed(error) from error
        finally:
            process.kill(child)

    def local(
        self,
        arguments: Sequence[str],
        git_dir: Path,
        started: Callable[[int], None] | None = None,
        stdin: bytes = b"",
    ) -> process.Completed:
        """Run git on a repository of this machine. Raises Transient(INTERNAL) when it does not end."""
        try:
            return self.run(arguments, git_dir=git_dir, timeout=_LOCAL_TIMEOUT, stdin=stdin, started=started)
        except process.ProcessError as error:
            raise Transient(Reason.INTERNAL, f"the Git cache cannot be used: {error}.") from error

    def open(self, arguments: Sequence[str], git_dir: Path) -> subprocess.Popen[bytes]:
        """Start git with its input and output open; who opens it ends it with `process.kill`."""
        return self._spawn(arguments, environment(git_dir, (), None), stdin=subprocess.PIPE)

    def close(self) -> None:
        """Kill what `run` is running; those calls end with the exit code -9, and no new ones start."""
        with self._guard:
            self._closed = True
            for descriptor in self._running:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    def _spawn(self, arguments: Sequence[str], env: Mapping[str, str], stdin: int | None) -> subprocess.Popen[bytes]:
        if self._closed:
            raise Transient(Reason.INTERNAL, "git is not started any more: the program is stopping.")
        try:
            # Here and not above: it takes 0.1 s and runs `git version`, which a command that needs no git must not pay.
            from git import Git
            from git.exc import GitCommandNotFound
        except ImportError as error:
            raise _missing() from error
        try:
            handle: Any = Git("/").execute(
                [*_without_inherited(env), "git", *arguments],
                as_process=True,
                istream=stdin,
                env=env,
                shell=False,
                start_new_session=True,
            )
        except GitCommandNotFound as error:
            raise _missing() from error
        except OSError as error:
            raise _failed(error) from error
        # GitPython's wrapper would end the child when the wrapper is collected.
        child: subprocess.Popen[bytes] = handle.proc
        handle.proc = None
        return child

    @contextlib.contextmanager
    def _known(self, pid: int) -> Iterator[None]:
        descriptor = os.pidfd_open(pid)
        try:
            with self._guard:
                self._running.add(descriptor)
                if self._closed:
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            yield
        finally:
            with self._guard:
                self._running.discard(descriptor)
            os.close(descriptor)


def environment(git_dir: Path, config: Config, env: Mapping[str, str] | None) -> dict[str, str]:
    """The variables that are set for git: its repository, and configuration that outranks every file.

    `GIT_CONFIG_COUNT` needs git 2.31. `NOWHERE` as `git_dir` is no repository, so that none is looked for upwards.
    """
    pairs = [*_CONFIG, *config]
    variables = {"GIT_DIR": str(git_dir), "GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (key, value) in enumerate(pairs):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return {**_ENVIRONMENT, **variables, **(env or {})}


def _without_inherited(env: Mapping[str, str]) -> list[str]:
    """GitPython adds to the environment of this process and cannot take away; `env -u` does, where there is something.

    GIT_TRACE_CURL would write passwords to a file, GIT_OBJECT_DIRECTORY would move the objects.
    """
    stray = sorted(name for name in os.environ if name.startswith("GIT_") and name not in env and name not in _KEPT)
    return ["env", *(word for name in stray for word in ("-u", name))] if stray else []


def _failed(error: OSError) -> Transient:
    return Transient(Reason.INTERNAL, f"git cannot be run: {error.strerror}.")


def _missing() -> Transient:
    return Transient(Reason.TOOL_MISSING, "git is not installed, or not on PATH. Install git 2.31 or later.")
