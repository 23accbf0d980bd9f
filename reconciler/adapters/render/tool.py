"""The programs that render: which one is there, what version it is, and one run of it in the jail."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters import process
from reconciler.adapters.render import jail
from reconciler.adapters.render.disk import write_private
from reconciler.adapters.render.limits import Limits, exceeded
from reconciler.model.outcome import Blocked, Reason, StageError, Terminal, Transient

Lookup = Callable[[str], Path | None]

_VERSION = re.compile(r"v?\d+\.\d+\.\d+[-+.\w]*")
_VERSION_COMMAND = {
    "kustomize": ("version",),
    "kubectl": ("version", "--client"),
    "helm": ("version", "--template", "{{.Version}}"),
}
_STAND_IN = {"kustomize": "kubectl"}
_INSTALL = {
    "kustomize": "Install kustomize 5 (https://kubectl.docs.kubernetes.io/installation/kustomize) or kubectl",
    "helm": "Install Helm 4 (https://helm.sh/docs/intro/install)",
}
_MESSAGE_KEPT = 2000
_STOPPING = 60.0
_SMALLER = "Make the render smaller"
_NO_MEMORY = re.compile(r"out of memory|cannot allocate memory|failed to reserve|pthread_create failed", re.IGNORECASE)
# kustomize prints the object that it could not understand; that may be a Secret.
_CONTENTS = re.compile(r"node contents:.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that is there. `title` names it with its version: `kustomize v5.8.1`."""

    name: str
    path: Path
    stamp: tuple[int, int, int]
    title: str

    @property
    def command(self) -> tuple[str, ...]:
        return (str(self.path),)

    def changed(self) -> bool:
        """Whether another program stands at its place now. One that is gone has not become another."""
        try:
            return _stamp(self.path) != self.stamp
        except OSError:
            return False


class Toolbox:
    """Finds tools. A version is asked once for each binary and kept in `memory`, a file."""

    def __init__(self, lookup: Lookup, memory: Path) -> None:
        self._lookup = lookup
        self._memory = memory
        self._found: dict[str, Tool] = {}
        self._guard = threading.Lock()

    def find(self, name: str) -> Tool:
        """Raises Transient(TOOL_MISSING)."""
        known = self._found.get(name)
        if known is not None and known.path.exists() and not known.changed():
            return known
        with self._guard:
            self._found[name] = found = self._look(name)
        return found

    def _look(self, name: str) -> Tool:
        for candidate in filter(None, (name, _STAND_IN.get(name))):
            path = self._lookup(candidate)
            if path is None:
                continue
            path = path.absolute()
            try:
                stamp = _stamp(path)
                return Tool(candidate, path, stamp, self._title(candidate, path, stamp))
            except (OSError, process.ProcessError) as error:
                raise Transient(Reason.TOOL_MISSING, f"{path} cannot be used: {error}.\n{_INSTALL[name]}.") from error
        raise Transient(Reason.TOOL_MISSING, f"{name} is not installed, and this folder needs it.\n{_INSTALL[name]}.")

    def _title(self, name: str, path: Path, stamp: tuple[int, int, int]) -> str:
        key = json.dumps([str(path), stamp])
        known = self._remembered()
        if key not in known:
            known[key] = _ask(name, path)
            write_private(self._memory, json.dumps(known).encode())
        return known[key]

    def _remembered(self) -> dict[str, str]:
        try:
            known = json.loads(self._memory.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) and all(isinstance(v, str) for v in known.values()) else {}


def _ask(name: str, path: Path) -> str:
    done = process.run(
        [str(path), *_VERSION_COMMAND[name]],
        env=jail.environment(Path("/nonexistent")),
        timeout=30,
        wrapper=jail.wrapper(memory=Limits().memory),
    )
    said = done.stdout.decode("utf-8", "replace")
    versions = _VERSION.findall(said)
    if done.code != 0 or not versions:
        words = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise process.ProcessError(name, f"it does not tell its version: {words[:200] or f'exit {done.code}'}")
    return f"{name} {versions[0]}" + (f" (kustomize {versions[1]})" if name == "kubectl" and versions[1:] else "")


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


@dataclass(frozen=True, slots=True)
class Run:
    """One render: a private folder with `tree` (what the render reads) and `home` (the tool's own)."""

    folder: Path
    limits: Limits
    source: str
    leash: process.Leash

    @property
    def tree_folder(self) -> Path:
        return self.folder / "tree"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def link(self, links: Mapping[str, str]) -> None:
        """Links as they are in the repository, for a tool may treat them in a way of its own; both ends are inside."""
        for path, to in links.items():
            place = self.tree_folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(os.path.relpath(self.tree_folder / to, place.parent))

    def tool(self, tool: Tool, argv: Sequence[str], *, network: bool = False) -> bytes:
        """What the tool writes to its standard output.

        Raises Terminal: RENDER_FAILED with the tool's own words, RENDER_LIMIT; Transient(TOOL_MISSING).
        """
        limits = self.limits
        walls = jail.wrapper(
            memory=limits.memory,
            cpu_seconds=2 * math.ceil(limits.time),
            file_size=limits.output,
            network=network,
            tied=True,
        )
        environment = jail.environment(self.home) | {"GOMEMLIMIT": str(limits.memory // 2)}
        shown = self.source or "the root of the repository"
        try:
            done = process.run(
                argv,
                env=environment,
                cwd=self.tree_folder,
                timeout=limits.time,
                max_output=limits.output,
                wrapper=walls,
                leash=self.leash,
            )
        except process.TimedOut as error:
            raise exceeded("time", f"{tool.title} did not finish {shown}", limits.time, _SMALLER) from error
        except process.OutputTooLarge as error:
            raise exceeded(
                "output", f"{tool.title} writes too much for {shown}", limits.output, "Split the Application"
            ) from error
        except process.NotFound as error:
            raise Transient(Reason.TOOL_MISSING, f"{error}") from error
        if done.code != 0 and self.leash.pulled:
            raise Blocked(Reason.PROGRESSING, f"{shown}: not rendered to the end, for Dispatch is stopping", _STOPPING)
        if done.code != 0:
            raise self._failure(tool, done, shown)
        return done.stdout

    def _failure(self, tool: Tool, done: process.Completed, shown: str) -> StageError:
        said = done.stderr.decode("utf-8", "replace")
        limits = self.limits
        if done.code in (126, 127):
            return Transient(Reason.TOOL_MISSING, f"{tool.path} cannot be started: {said.strip()[:200]}")
        if said.startswith("unshare:"):
            return Transient(Reason.RENDER_FAILED, f"no place without network for {tool.title}: {said.strip()[:200]}")
        if done.code == -signal.SIGXCPU:
            return exceeded("time", f"{tool.title} computes too long on {shown}", limits.time, _SMALLER)
        if _NO_MEMORY.search(said):
            return exceeded("memory", f"{tool.title} ran out of memory on {shown}", limits.memory, _SMALLER)
        ended = f"exit code {done.code}" if done.code > 0 else f"ended by signal {-done.code}"
        return Terminal(Reason.RENDER_FAILED, f"{shown}: {tool.title}: {self._words(said) or ended}")

    def _words(self, said: str) -> str:
        """The tool's message as the user's repository would give it: without our private folder, not too long."""
        for prefix in {str(self.tree_folder), os.path.realpath(self.tree_folder)}:
            said = said.replace(f"{prefix}/", "").replace(prefix, ".")
        said = _CONTENTS.sub("(contents left out)", said)
        lines = [line for line in said.splitlines() if line.strip() and not line.startswith("# Warning")]
        said = "\n".join(lines).removeprefix("Error: ").replace("\x1b", "")
        if len(said) <= _MESSAGE_KEPT:
            return said
        # What failed comes first, the innermost cause last.
        return f"{said[: _MESSAGE_KEPT // 2]} ... {said[-_MESSAGE_KEPT // 2 :]}"
