"""A cluster that is connected to a scripted server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters.kube.scripted_server import Asked, ScriptedServer, Start

from reconciler.adapters.kube import KubeCluster, connect


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A server with a script, and a cluster that is connected to it."""
    ends: list[Callable[[], None]] = []

    def begin(script: Callable[[Asked], Any], **options: Any) -> tuple[ScriptedServer, KubeCluster]:
        server = ScriptedServer(script).__enter__()
        ends.append(lambda: server.__exit__(None, None, None))
        cluster = connect(server.kubeconfig(tmp_path), **options)
        ends.append(cluster.close)
        return server, cluster

    yield begin
    for end in reversed(ends):
        end()
