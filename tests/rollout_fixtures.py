"""A controller that walks versions out, on a platform with Argo Rollouts, and a team that uses it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from controller_fixtures import administrator
from dying import DyingCluster
from sandbox_fixtures import fresh_namespace, running
from somebody import Somebody
from walking import Metric, Walkers, metric

from reconciler import app
from reconciler.adapters.kube import KubeCluster
from reconciler.model.outcome import StageError
from reconciler.sandbox.platform import Part, Sandbox
from reconciler.web.server import Gatehouse


class Walking:
    """A controller with its gates and hooks, which can be stopped and started again. `dying` wraps its cluster; without
    `hooked` it is not told where forges reach it."""

    def __init__(
        self, sandbox: Sandbox, cache: Path, dying: Callable[[KubeCluster], Any] | None = None, namespace: str = ""
    ) -> None:
        self._settings = app.Settings(
            kubeconfig=sandbox.kubeconfig, cache=cache, allow_file_repositories=True, namespace=namespace
        )
        self._dying = dying
        self._listen = "127.0.0.1:0"
        self.failures: list[StageError] = []
        self.hooked = True

    def start(self) -> None:
        self._gatehouse = Gatehouse(self._listen)
        self._listen = self._gatehouse.address
        self.url = self._gatehouse.url
        settings = replace(self._settings, gates_url=self.url, hooks_url=self.url if self.hooked else "")
        self._source, self._renderer = app.open_source(settings), app.open_renderer(settings)
        self._connection = app.connect(settings)
        cluster: Any = self._dying(self._connection) if self._dying is not None else self._connection
        self.cluster = cluster
        self.controller = app.build_controller(settings, self._source, self._renderer, cluster)
        self._gatehouse.start(
            self.controller.gate, self.controller.ready, self.controller.hook, begin=self.controller.git_hook
        )
        self.controller.start(self.failures.append)

    def die_after(self, writes: int | None) -> None:
        """From the next start on it is dead after so many writes; None: it lives."""
        self._dying = (lambda inner: DyingCluster(inner, writes)) if writes is not None else None

    def stop(self) -> bool:
        self._gatehouse.stop()
        stopped = self.controller.stop(within=10)
        for part in (self._renderer, self._source, self._connection):
            part.close()
        return stopped


@pytest.fixture(scope="session")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster with Argo Rollouts, of this controller's own."""
    yield from running(tmp_path_factory, "harbour", Part.CONTROLLERS, Part.SCHEDULER, Part.KWOK, Part.ROLLOUTS)


@pytest.fixture(scope="session")
def harbour_cluster(harbour: Sandbox) -> Iterator[KubeCluster]:
    with administrator(harbour) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def walking(
    harbour: Sandbox, harbour_cluster: KubeCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walking]:
    """One controller for all tests of the session; who stops it starts it again."""
    controller = Walking(harbour, tmp_path_factory.mktemp(f"walking-{secrets.token_hex(2)}"))
    controller.start()
    yield controller
    assert controller.stop(), "the controller did not stop within 10 s"
    assert not controller.failures


@pytest.fixture
def walkers(harbour: Sandbox, harbour_cluster: KubeCluster, walking: Walking, tmp_path: Path) -> Walkers:
    """A team in a namespace of its own; its controller runs."""
    return Walkers(harbour_cluster, Somebody(harbour), fresh_namespace(harbour), tmp_path)


@pytest.fixture
def page() -> Iterator[Metric]:
    with metric() as found:
        yield found
