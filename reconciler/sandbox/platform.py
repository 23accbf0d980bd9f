"""A sandbox as an object: start it, use it, break its parts, stop it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from reconciler.sandbox import tools
from reconciler.sandbox.control import Control
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.home import Home
from reconciler.sandbox.launch import launch
from reconciler.sandbox.parts import Part, spec_of, with_needs
from reconciler.sandbox.status import PartStatus, part_status

__all__ = ["GiteaAccess", "Part", "Sandbox"]

Progress = Callable[[str], None]
GRACE_SECONDS = 5.0
DEATH_SECONDS = 10.0


@dataclass(frozen=True)
class GiteaAccess:
    """Gitea's administrator; `token` has every scope."""

    url: str
    username: str
    password: str
    token: str

    def __repr__(self) -> str:
        return f"GiteaAccess(url={self.url!r}, username={self.username!r})"


def quiet(line: str) -> None:
    """The progress of nobody who looks."""


class Sandbox:
    """A running sandbox. As a context manager it is stopped at the end; a killed owner takes it along, too."""

    def __init__(self, home: Home, control: Control) -> None:
        self.home = home
        self._control = control

    @classmethod
    def start(
        cls,
        directory: Path,
        parts: Iterable[Part] = (),
        progress: Progress = quiet,
        ports: Mapping[Part, int] | None = None,
    ) -> Self:
        """Start `parts` and what they need (the API server and etcd when none is named) with all state in `directory`.

        Builds missing tools first. `ports` are ports that must be used; the others are chosen. Raises SandboxError, and
        then nothing runs: no Go, no disk, failed build, taken port, a part that ends or is not ready in time, or a
        sandbox that runs in `directory` already.
        """
        home = Home(directory.absolute())
        wanted = with_needs(frozenset(parts))
        _ensure(wanted, progress)
        if directory.exists() and Control.find(home.directory):
            raise SandboxError(f"a sandbox is running in {directory} already: stop it, or use another directory")
        home.clear(logs=True)
        home.create()
        sandbox = cls(home, Control.launch(home.directory, home.log("supervisor")))
        try:
            sandbox.add(wanted, progress, ports)
        except BaseException:
            sandbox.stop()
            raise
        return sandbox

    @classmethod
    def attach(cls, directory: Path) -> Self | None:
        """The sandbox that runs in `directory`, or None."""
        if not directory.exists():
            return None
        control = Control.find(directory.absolute())
        return cls(Home(directory.absolute()), control) if control else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; it does not exist where only Gitea runs."""
        return self.home.kubeconfig

    @property
    def urls(self) -> dict[str, str]:
        """`kubernetes`, `gitea`, `prometheus` and `registry`, as far as they are part of this sandbox."""
        found = {}
        if self.home.kubeconfig.exists():
            found["kubernetes"] = self.home.api_url
        if self.home.gitea_access.exists():
            found["gitea"] = self.gitea.url
        if self.home.prometheus_targets.exists():
            found["prometheus"] = self.home.prometheus_url
        if self.home.data("registry").exists():
            found["registry"] = self.home.registry_url
        return found

    @property
    def gitea(self) -> GiteaAccess:
        """Raises SandboxError when this sandbox has no Gitea."""
        if not self.home.gitea_access.exists():
            raise SandboxError("this sandbox has no Gitea: start it with the part `gitea`")
        return GiteaAccess(**json.loads(self.home.gitea_access.read_text(encoding="utf-8")))

    def add(
        self, parts: Iterable[Part], progress: Progress = quiet, ports: Mapping[Part, int] | None = None
    ) -> list[Part]:
        """Start those of `parts`, and of what they need, that do not run; each as soon as its needs are ready."""
        running = self._running()
        missing = [part for part in with_needs(frozenset(parts)) if part not in running]
        binaries = _ensure(missing, progress)
        wanted = {part: (ports or {}).get(part) or self._old_port(part) for part in missing}
        with ThreadPoolExecutor(max_workers=max(1, len(missing))) as pool:
            futures: dict[Part, Future[None]] = {}

            def bring_up(part: Part) -> None:
                spec = spec_of(part)
                for need in spec.needs:
                    if need in futures:
                        futures[need].result()
                began = time.monotonic()
                launch(self.home, self._control, spec, binaries[spec.tool], wanted[part])
                progress(f"{spec.title} ready after {time.monotonic() - began:.1f} s")

            if missing:
                progress(f"starting {', '.join(spec_of(part).title for part in missing)} ...")
            try:
                for part in missing:
                    futures[part] = pool.submit(bring_up, part)
                for part in missing:
                    futures[part].result()
            except BaseException:
                for part in missing:
                    self._kill_quietly(part)
                raise
        return missing

    def status(self) -> list[PartStatus]:
        seen = self._control.parts()
        return [part_status(self.home, part, seen[part]) for part in Part if part in seen]

    def restart(self, part: Part) -> None:
        """End `part` as an administrator would (SIGTERM, and SIGKILL after 5 s), start it again, wait until ready.

        A part that was killed is just started. It keeps its port.
        """
        if part in self._running():
            self._control.signal(part, signal.SIGCONT)
            self._control.signal(part, signal.SIGTERM)
            if not self._ended(part, GRACE_SECONDS):
                self.kill(part)
        spec = spec_of(part)
        launch(self.home, self._control, spec, _ensure([part], quiet)[spec.tool], self._old_port(part))

    def kill(self, part: Part) -> None:
        """SIGKILL; returns when it is dead. It stays dead until `restart`."""
        self._control.signal(part, signal.SIGKILL)
        if not self._ended(part, DEATH_SECONDS):
            raise SandboxError(f"{part} survived SIGKILL for {DEATH_SECONDS:.0f} s")

    def pause(self, part: Part) -> None:
        """SIGSTOP: its connections stay open and nobody answers."""
        self._control.signal(part, signal.SIGSTOP)

    def resume(self, part: Part) -> None:
        self._control.signal(part, signal.SIGCONT)

    def detach(self) -> None:
        """Let it outlive this process: `attach` and `stop` end it later."""
        self._control.detach()

    def wait(self) -> None:
        """Until somebody else stops it; only for the process that started it."""
        self._control.wait()

    def stop(self) -> None:
        """End all of it and remove its data; the logs stay. Stopping twice is fine."""
        self._control.stop()
        self.home.clear(logs=False)

    def _running(self) -> set[str]:
        return {name for name, part in self._control.parts().items() if part.code is None}

    def _ended(self, part: Part, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while part in self._running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _kill_quietly(self, part: Part) -> None:
        try:
            self._control.signal(part, signal.SIGKILL)
        except SandboxError:
            # It never started, or the supervisor is gone and took it along.
            return

    def _old_port(self, part: Part) -> int | None:
        try:
            return self.home.port(part)
        except KeyError:
            return None


def _ensure(parts: Iterable[Part], progress: Progress) -> dict[str, Path]:
    return tools.ensure([spec_of(part).tool for part in parts], progress)
