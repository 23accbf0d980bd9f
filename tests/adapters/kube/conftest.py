"""A cluster that is connected to a scripted server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters.kube.scripted_server import Asked, ScriptedServer, Start
from adapters.kube.watched import Follow, Watched

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


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follow]:
    """A server whose n-th list and n-th watch are scripted apart, and a follower of it."""
    ends: list[Callable[[], Any]] = []

    def begin(
        lists: Callable[[int, Asked], Any], watches: Callable[[int, Asked], Any], **options: Any
    ) -> tuple[ScriptedServer, Watched]:
        counts = {"lists": 0, "watches": 0}

        def script(asked: Asked) -> Any:
            which, then = ("watches", watches) if "watch=1" in asked.target else ("lists", lists)
            counts[which] += 1
            return then(counts[which] - 1, asked)

        server = ScriptedServer(script).__enter__()
        ends.append(lambda: server.__exit__())
        cluster = connect(server.kubeconfig(tmp_path), timeout=1.0)
        ends.append(cluster.close)
        watched = Watched(cluster, **options)
        ends.append(watched.stop)
        return server, watched

    yield begin
    for end in reversed(ends):
        end()
