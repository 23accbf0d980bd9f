"""An API server that knows our kinds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

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
