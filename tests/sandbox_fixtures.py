"""Real platforms for tests: one of each kind a session (a worker, under pytest-xdist), started when first asked for.

`apiserver`  etcd and the API server: enough for reading, applying, watching. Nothing deletes a namespace there.
`cluster`    also the controllers, the scheduler and three nodes: Deployments become ready, Jobs complete.
`platform`   also Argo Rollouts.
`metrics`    the same one, with Prometheus beside it.
`numbers`    Prometheus alone.
`gitea`      Gitea alone.
`registry`   a registry of images alone; its URL.
`namespace`  a fresh namespace in `apiserver`; `fresh_namespace(sandbox)` makes one elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.api import Api
from reconciler.sandbox.platform import Part, Sandbox


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from running(tmp_path_factory, "apiserver", Part.APISERVER)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from running(tmp_path_factory, "cluster", Part.CONTROLLERS, Part.SCHEDULER, Part.KWOK)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from running(tmp_path_factory, "platform", Part.CONTROLLERS, Part.SCHEDULER, Part.KWOK, Part.ROLLOUTS)


@pytest.fixture(scope="session")
def metrics(platform: Sandbox) -> Sandbox:
    platform.add([Part.PROMETHEUS], print)
    return platform


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from running(tmp_path_factory, "numbers", Part.PROMETHEUS)


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from running(tmp_path_factory, "gitea", Part.GITEA)


@pytest.fixture(scope="session")
def image_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    yield from running(tmp_path_factory, "registry", Part.REGISTRY)


@pytest.fixture(scope="session")
def registry(image_store: Sandbox) -> str:
    """The address of a real registry of images."""
    return image_store.urls["registry"]


@pytest.fixture
def namespace(apiserver: Sandbox) -> str:
    """The name of a namespace that no other test has seen."""
    return fresh_namespace(apiserver)


def fresh_namespace(sandbox: Sandbox) -> str:
    """Make a namespace with a name of its own in `sandbox`."""
    name = f"test-{secrets.token_hex(4)}"
    with Api(sandbox.home) as api:
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def running(factory: pytest.TempPathFactory, name: str, *parts: Part) -> Iterator[Sandbox]:
    """The body of a fixture: a sandbox that is stopped when the fixture ends."""
    directory: Path = factory.mktemp(f"sandbox-{name}")
    with Sandbox.start(directory, parts, print) as sandbox:
        yield sandbox
