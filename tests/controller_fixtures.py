"""A running controller and a team that uses it, on the sandbox."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sandbox_fixtures import fresh_namespace, running
from somebody import Somebody
from team import Team

from reconciler import app
from reconciler.adapters.kube import KubeCluster
from reconciler.model.crd import definitions
from reconciler.model.outcome import StageError
from reconciler.sandbox.platform import Part, Sandbox


def open_cluster(sandbox: Sandbox) -> KubeCluster:
    return app.connect(app.Settings(kubeconfig=sandbox.kubeconfig))


def install_kinds(cluster: KubeCluster) -> None:
    resource = cluster.resource("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert resource is not None
    for answer in cluster.apply([(resource, document) for document in definitions()]):
        assert isinstance(answer, dict), answer


@contextmanager
def administrator(sandbox: Sandbox) -> Iterator[KubeCluster]:
    """An API server with Dispatch's kinds, as an administrator sees it."""
    with closing(open_cluster(sandbox)) as cluster:
        install_kinds(cluster)
        yield cluster


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster of the controller's own: it watches all namespaces, so what other tests lay out must not be there."""
    yield from running(tmp_path_factory, "town", Part.CONTROLLERS, Part.SCHEDULER, Part.KWOK)


@pytest.fixture(scope="session")
def kube(town: Sandbox) -> Iterator[KubeCluster]:
    """The town with Dispatch's kinds, as an administrator sees it."""
    with administrator(town) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def controller(town: Sandbox, kube: KubeCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One controller for all tests of the session: each team has a namespace of its own."""
    settings = app.Settings(
        kubeconfig=town.kubeconfig,
        cache=tmp_path_factory.mktemp(f"cache-{secrets.token_hex(2)}"),
        allow_file_repositories=True,
    )
    source, renderer, connection = app.open_source(settings), app.open_renderer(settings), app.connect(settings)
    running = app.build_controller(settings, source, renderer, connection)
    failures: list[StageError] = []
    running.start(failures.append)
    yield
    stopped = running.stop(within=10)
    for part in (renderer, source, connection):
        part.close()
    assert not failures
    assert stopped, "the controller did not stop within 10 s"


@pytest.fixture(autouse=True)
def teams_leave() -> Iterator[None]:
    """What a test's teams let the controller read is not read for the rest of the session."""
    before = list(Team.here)
    yield
    for team in [each for each in Team.here if each not in before]:
        team.leave()


@pytest.fixture
def team(town: Sandbox, kube: KubeCluster, controller: None, tmp_path: Path) -> Team:
    """A team with an empty repository, in a namespace that no other test has seen."""
    return Team(kube, Somebody(town), fresh_namespace(town), tmp_path)
