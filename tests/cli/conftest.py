"""An API server that knows our kinds, a cache and a folder of each test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from command_line import install_kinds

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.sandbox.platform import Sandbox


@pytest.fixture(scope="session")
def kinds(apiserver: Sandbox) -> Sandbox:
    """The API server of the session, with our kinds."""
    install_kinds(apiserver)
    return apiserver


@pytest.fixture
def live(kinds: Sandbox) -> Iterator[KubeCluster]:
    """A connection to it."""
    with closing(connect(kinds.home.kubeconfig)) as cluster:
        yield cluster


@pytest.fixture
def access(kinds: Sandbox, namespace: str) -> tuple[str, ...]:
    """The options that lead a verb to a namespace of its own there."""
    return ("--kubeconfig", str(kinds.home.kubeconfig), "-n", namespace)


@pytest.fixture
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders of one test are unknown to the next; the tools that were built stay at hand on PATH."""
    from reconciler import app

    tools = [str(path.parent) for name in ("kustomize", "helm") if (path := app.tool(name)) is not None]
    monkeypatch.setenv("PATH", os.pathsep.join([*tools, os.environ["PATH"]]))
    monkeypatch.setenv("DISPATCH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`apps/shop` in a repository, empty."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "apps/shop").mkdir(parents=True)
    return tmp_path / "apps/shop"
