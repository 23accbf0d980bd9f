"""Sandboxes by name, which outlive the command that started them: `dispatch sandbox up` and its kin."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from reconciler.sandbox import tools
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.parts import Part, spec_of, with_needs
from reconciler.sandbox.platform import Sandbox
from reconciler.sandbox.tools import lock

Progress = Callable[[str], None]
DEFAULT_PARTS = (Part.CONTROLLERS, Part.SCHEDULER, Part.KWOK)


@dataclass(frozen=True)
class Up:
    """What `up` did: `started` is empty when all of it was running already."""

    sandbox: Sandbox
    started: list[Part]


def state_root() -> Path:
    """`XDG_STATE_HOME`, else `~/.local/state` (XDG base directories)."""
    xdg = os.environ.get("XDG_STATE_HOME")
    base = Path(xdg) if xdg and Path(xdg).is_absolute() else Path.home() / ".local" / "state"
    return base / "dispatch" / "sandbox"


def directory(name: str) -> Path:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", name):
        raise SandboxError(f"{name!r} is no name for a sandbox: use up to 40 of a-z, 0-9 and - (not at the ends)")
    return state_root() / name


def find(name: str) -> Sandbox | None:
    """The running sandbox of that name, or None."""
    return Sandbox.attach(directory(name))


def names() -> list[str]:
    """Of every sandbox that left something on the disk, running or not."""
    root = state_root()
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def up(
    name: str, parts: Iterable[Part], progress: Progress, ports: Mapping[Part, int] | None = None, detach: bool = True
) -> Up:
    """Start the sandbox, or the parts that a running one lacks; with `detach` it outlives this process.

    What a dead one left is removed first. Raises SandboxError.
    """
    folder, wanted = directory(name), with_needs(frozenset(parts))
    # Builds take minutes, so they are done before anybody is kept out.
    tools.ensure([spec_of(part).tool for part in wanted], progress)
    with _alone(name, "starting", progress):
        running = Sandbox.attach(folder)
        if running:
            _refuse_moved_ports(running, ports or {})
            return Up(running, running.add(wanted, progress, ports))
        if folder.exists():
            progress(f"removing what an earlier sandbox left in {folder}")
            shutil.rmtree(folder)
        sandbox = Sandbox.start(folder, wanted, progress, ports)
        if detach:
            sandbox.detach()
        return Up(sandbox, wanted)


def down(name: str, progress: Progress) -> bool:
    """Stop it and remove all that it left; False when there was nothing."""
    folder = directory(name)
    if not folder.exists():
        return False
    # First without the lock: an `up` that is still waiting for its parts holds it, and gives up when they are gone.
    if starting := Sandbox.attach(folder):
        starting.stop()
    with _alone(name, "stopping", progress):
        if running := Sandbox.attach(folder):
            running.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _alone(name: str, act: str, progress: Progress) -> AbstractContextManager[None]:
    return lock.held(state_root() / f".{name}.lock", f"{act} the sandbox {name}", progress)


def _refuse_moved_ports(running: Sandbox, ports: Mapping[Part, int]) -> None:
    seen = {status.part: status.port for status in running.status()}
    for part, port in ports.items():
        if part in seen and seen[part] != port:
            raise SandboxError(
                f"{spec_of(part).title} runs already, on port {seen[part]}: `dispatch sandbox down` first to move it"
            )
