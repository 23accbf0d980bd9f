"""Controllers of one team's namespace, for tests that kill them: as a process, or in this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dying import DyingCluster
from team import Team

from reconciler import app
from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Sandbox


@contextmanager
def process(server: Sandbox, team: Team, cache: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """`dispatch run` for the team's namespace, as a process of its own; its log is beside the cache."""
    command = [str(Path(sys.executable).parent / "dispatch"), "run", "--allow-file-repositories"]
    command += ["--listen", "127.0.0.1:0"]
    command += ["--kubeconfig", str(server.kubeconfig), "--namespace", team.namespace, "--cache", str(cache), *words]
    with (cache.parent / "controller.log").open("ab") as log:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait(10)


@contextmanager
def in_process(server: Sandbox, team: Team, cache: Path, writes: int | None = None) -> Iterator[Any]:
    """A controller in this process; with `writes`, one that is dead after so many."""
    settings = app.Settings(
        kubeconfig=server.kubeconfig, cache=cache, namespace=team.namespace, allow_file_repositories=True
    )
    with running(settings, dying=None if writes is None else lambda inner: DyingCluster(inner, writes)) as cluster:
        yield cluster


@contextmanager
def running(
    settings: app.Settings, leader: Any = None, dying: Callable[[KubeCluster], Any] | None = None
) -> Iterator[Any]:
    """A controller in this process; `dying` wraps its cluster, which is given."""
    source, renderer = app.open_source(settings, leader), app.open_renderer(settings)
    inner = app.connect(settings, leader)
    cluster = inner if dying is None else dying(inner)
    controller = app.build_controller(settings, source, renderer, cluster, leader)
    controller.start(lambda error: None)
    try:
        yield cluster
    finally:
        controller.stop(within=5)
        for part in (renderer, source, inner):
            part.close()
