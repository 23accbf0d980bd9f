"""One request after another over a network that fails in every way."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from adapters.kube.scripted_server import (
    CONFIGMAPS,
    Once,
    ScriptedServer,
    Start,
    answer,
    configmap,
    echo,
    kubeconfig,
)

from reconciler.adapters.kube import connect, patience
from reconciler.model.change import Resource
from reconciler.model.outcome import Reason, Transient

SECRETS = Resource("v1", "Secret", "secrets", True)


def drop(connection: socket.socket) -> None:
    """Close without a word."""


def half(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


@pytest.mark.parametrize("way", [drop, half, b"nonsense\r\n\r\n"])
def test_an_answer_that_is_lost_is_asked_for_again(way: Any, start: Start) -> None:
    server, cluster = start(Once(way))
    assert cluster.apply([(CONFIGMAPS, configmap())]) == [configmap()]
    assert len(server.asked) == 2


def test_an_answer_that_is_no_object_is_told(start: Start) -> None:
    _, cluster = start(lambda asked: answer(b"<html>log in</html>", headers={"Content-Type": "text/html"}))
    for ask in (cluster.version, lambda: cluster.apply([(CONFIGMAPS, configmap())])):
        with pytest.raises(Transient, match=r"text/html.*login page"):
            ask()


def test_connections_that_the_server_closed_while_idle_are_replaced(start: Start) -> None:
    server, cluster = start(echo)
    assert cluster.version() == "v1.2.3"
    server.cut()
    assert cluster.version() == "v1.2.3"
    assert server.connections == 2


def test_a_create_whose_answer_is_lost_is_not_sent_twice(start: Start) -> None:
    server, cluster = start(Once(drop))
    with pytest.raises(Transient) as raised:
        cluster.create(CONFIGMAPS, "shop", configmap())
    assert raised.value.reason is Reason.CLUSTER_UNREACHABLE
    assert len(server.asked) == 1


def test_a_json_patch_whose_answer_is_lost_is_not_sent_twice(start: Start) -> None:
    server, cluster = start(Once(drop))
    with pytest.raises(Transient):
        cluster.patch(CONFIGMAPS, "shop", "web", [{"op": "remove", "path": "/data/list/0"}])
    assert len(server.asked) == 1


def test_nobody_listening_is_told_with_the_url_and_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOST_FOR", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig({"server": f"https://127.0.0.1:{port}"}, {})))
    cluster = connect(path)
    with pytest.raises(Transient, match=f"https://127.0.0.1:{port}.*Connection refused") as raised:
        cluster.read(CONFIGMAPS, "shop", "web")
    assert raised.value.reason is Reason.CLUSTER_UNREACHABLE
    with pytest.raises(Transient, match="Connection refused"):
        cluster.apply([(CONFIGMAPS, configmap(str(n))) for n in range(20)])
    cluster.close()


def test_a_host_that_has_no_address_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOST_FOR", 0.5)
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig({"server": "https://kubernetes.invalid:6443"}, {})))
    cluster = connect(path)
    with pytest.raises(Transient, match=r"https://kubernetes\.invalid:6443.*[Nn]ame"):
        cluster.version()
    cluster.close()


def test_a_server_that_does_not_answer_is_left_after_the_time_out(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.adapters.kube.client.GRACE", 0.2)
    server: ScriptedServer
    server, cluster = start(lambda asked: lambda connection: server.wait(30), timeout=0.3)
    with pytest.raises(Transient, match=r"no answer within 0\.5 s"):
        cluster.apply([(CONFIGMAPS, configmap())])
    assert len(server.asked) == 1
    server.__exit__()


def test_a_slow_server_is_waited_for(start: Start) -> None:
    def slowly(connection: socket.socket) -> None:
        for byte in answer({"gitVersion": "v0"}):
            connection.sendall(bytes([byte]))
            time.sleep(0.002)

    _, cluster = start(lambda asked: slowly)
    assert cluster.version() == "v0"
