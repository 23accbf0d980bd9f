"""One request after another over a network that fails in every way that HTTP allows."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters.kube.scripted_server import Asked, ScriptedServer, answer, kubeconfig, status

from reconciler.adapters.kube import KubeCluster, connect, patience
from reconciler.model.change import Refusal, Resource
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

CONFIGMAPS = Resource("v1", "ConfigMap", "configmaps", True)
SECRETS = Resource("v1", "Secret", "secrets", True)


def configmap(name: str = "web") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}}


def echo(asked: Asked) -> bytes:
    return answer(json.loads(asked.body) if asked.body else {"gitVersion": "v1.2.3"})


Start = Callable[..., tuple[ScriptedServer, KubeCluster]]


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


class Once:
    """A script that does `first` for the first `times` requests, and then echoes."""

    def __init__(self, first: Any, times: int = 1) -> None:
        self.first = first
        self.left = times
        self.lock = threading.Lock()

    def __call__(self, asked: Asked) -> Any:
        with self.lock:
            self.left -= 1
            return self.first if self.left >= 0 else echo(asked)


def drop(connection: socket.socket) -> None:
    """Close without a word."""


def half(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


@pytest.mark.parametrize("way", [drop, half, b"nonsense\r\n\r\n"])
def test_an_answer_that_is_lost_is_asked_for_again(way: Any, start: Start) -> None:
    server, cluster = start(Once(way))
    assert cluster.apply([(CONFIGMAPS, configmap())]) == [configmap()]
    assert len(server.asked) == 2


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


def test_429_is_waited_out_as_the_server_wishes(start: Start) -> None:
    server, cluster = start(Once(status(429, "TooManyRequests", "busy", {"Retry-After": "1"}), 2))
    began = time.monotonic()
    assert cluster.apply([(CONFIGMAPS, configmap())]) == [configmap()]
    assert time.monotonic() - began >= 2
    assert len(server.asked) == 3


def test_429_with_a_long_wish_is_the_callers_to_wait_for(start: Start) -> None:
    _, cluster = start(lambda asked: status(429, "TooManyRequests", "busy", {"Retry-After": "600"}))
    (answered,) = cluster.apply([(CONFIGMAPS, configmap())])
    assert isinstance(answered, Refusal)
    assert (answered.code, answered.retry_after) == (429, 600.0)
    with pytest.raises(Transient) as raised:
        cluster.version()
    assert (raised.value.reason, raised.value.retry_after) == (Reason.CLUSTER_BUSY, 600.0)


def test_a_server_that_is_busy_gets_fewer_requests_at_once(start: Start) -> None:
    lock, running, seen, refused = threading.Lock(), 0, [], 0

    def script(asked: Asked) -> bytes:
        nonlocal running, refused
        with lock:
            running += 1
            seen.append(running)
            busy = refused < 8
            refused += busy
        time.sleep(0.01)
        with lock:
            running -= 1
        return status(429, "TooManyRequests", "busy", {"Retry-After": "0"}) if busy else echo(asked)

    _, cluster = start(script)
    answers = cluster.apply([(CONFIGMAPS, configmap(f"web-{n}")) for n in range(40)])
    assert [found["metadata"]["name"] for found in answers if isinstance(found, dict)] == [
        f"web-{n}" for n in range(40)
    ]
    assert max(seen) == 8
    assert max(seen[-10:]) <= 5


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_an_error_of_the_server_that_passes_is_not_seen(code: int, start: Start) -> None:
    _, cluster = start(Once(status(code, "InternalError", "for a moment"), 2))
    assert cluster.apply([(CONFIGMAPS, configmap())]) == [configmap()]


def test_an_error_of_the_server_that_stays_is_a_refusal_of_that_object_only(start: Start) -> None:
    def script(asked: Asked) -> bytes:
        if asked.path.endswith("/bad"):
            return status(500, "InternalError", 'failed calling webhook "policy.example.com"')
        return echo(asked)

    server, cluster = start(script)
    answers = cluster.apply([(CONFIGMAPS, configmap(name)) for name in ("a", "bad", "c")])
    assert (answers[0], answers[2]) == (configmap("a"), configmap("c"))
    assert isinstance(answers[1], Refusal)
    assert "policy.example.com" in answers[1].message
    assert sum(asked.path.endswith("/bad") for asked in server.asked) == 4


def test_an_object_against_its_schema_is_not_sent_again(start: Start) -> None:
    message = "failed to create typed patch object (shop/web; /v1, Kind=ConfigMap): .dat: field not declared in schema"
    server, cluster = start(lambda asked: status(500, "", message))
    (answered,) = cluster.apply([(CONFIGMAPS, configmap())])
    assert isinstance(answered, Refusal)
    assert answered.causes == (("dat", "field not declared in schema"),)
    assert len(server.asked) == 1


def test_a_conflict_names_the_other_manager(start: Start) -> None:
    causes = [{"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".data.a"}]
    _, cluster = start(lambda asked: status(409, "Conflict", "Apply failed", details={"causes": causes}))
    (answered,) = cluster.apply([(CONFIGMAPS, configmap())], force=False)
    assert isinstance(answered, Refusal)
    assert answered.causes == ((".data.a", 'conflict with "kubectl"'),)


def test_a_refusal_never_repeats_a_secret(start: Start) -> None:
    _, cluster = start(lambda asked: status(422, "Invalid", f"Invalid value: {asked.body.decode()}"))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
    for document in (secret | {"stringData": {"k": "correct horse"}}, secret | {"data": {"k": "Y29ycmVjdCBob3JzZQ=="}}):
        told = (
            *cluster.apply([(SECRETS, document)]),
            cluster.create(SECRETS, "shop", document),
            cluster.patch(SECRETS, "shop", "s", {k: v for k, v in document.items() if "ata" in k}),
            cluster.patch(SECRETS, "shop", "s", [{"op": "add", "path": "/data/k", "value": "Y29ycmVjdCBob3JzZQ=="}]),
        )
        for refusal in told:
            assert isinstance(refusal, Refusal)
            assert "***" in refusal.message
            assert not any(word in refusal.message for word in ("correct", "horse", "Y29ycm"))


def test_a_connection_that_the_server_wants_closed_is_closed(start: Start) -> None:
    server, cluster = start(lambda asked: answer({"gitVersion": "v0"}, headers={"Connection": "close"}))
    cluster.version()
    cluster.version()
    assert server.connections == 2


def test_a_large_object_that_is_refused_before_it_is_read_is_a_refusal(tmp_path: Path) -> None:
    refused = status(413, "RequestEntityTooLarge", "limit is 3145728", {"Connection": "close"})

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(refused)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(kubeconfig({"server": f"http://127.0.0.1:{listener.getsockname()[1]}"}, {})))
        cluster = connect(path)
        (answered,) = cluster.apply([(CONFIGMAPS, configmap() | {"data": {"big": "x" * 5_000_000}})])
        cluster.close()
        thread.join(10)
    assert isinstance(answered, Refusal)
    assert (answered.code, answered.reason) == (413, "RequestEntityTooLarge")


def test_no_more_connections_are_used_than_were_allowed(start: Start) -> None:
    def script(asked: Asked) -> bytes:
        time.sleep(0.005)
        return echo(asked)

    server, cluster = start(script, connections=3)
    cluster.apply([(CONFIGMAPS, configmap(f"web-{n}")) for n in range(60)])
    threads = [threading.Thread(target=cluster.version) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert server.connections == 3


def test_a_small_batch_is_not_held_up_by_a_large_one(start: Start) -> None:
    def script(asked: Asked) -> bytes:
        time.sleep(0.01)
        return echo(asked)

    _, cluster = start(script, connections=2)
    large = threading.Thread(target=lambda: cluster.apply([(CONFIGMAPS, configmap(f"web-{n}")) for n in range(300)]))
    large.start()
    assert cluster.apply([(CONFIGMAPS, configmap())]) == [configmap()]
    assert large.is_alive()
    large.join(30)


def test_a_closed_cluster_ends_its_waits(start: Start) -> None:
    server, cluster = start(lambda asked: status(429, "TooManyRequests", "busy", {"Retry-After": "15"}))
    raised: list[StageError] = []

    def ask() -> None:
        try:
            cluster.version()
        except StageError as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.asked and time.monotonic() < deadline:
        time.sleep(0.01)
    cluster.close()
    thread.join(10)
    assert not thread.is_alive()
    assert raised


def test_a_read_that_is_forbidden_is_terminal(start: Start) -> None:
    _, cluster = start(lambda asked: status(403, "Forbidden", 'configmaps is forbidden: User "me" cannot get'))
    with pytest.raises(Terminal, match=r'User "me" cannot get.*Role') as raised:
        cluster.read(CONFIGMAPS, "shop", "web")
    assert raised.value.reason is Reason.FORBIDDEN
    with pytest.raises(Terminal):
        list(cluster.listing(CONFIGMAPS))


def test_a_list_that_the_server_forgot_in_the_middle_is_begun_again(start: Start) -> None:
    expired = [True]

    def script(asked: Asked) -> bytes:
        if "continue=" not in asked.target:
            return answer({"metadata": {"continue": "two", "resourceVersion": "5"}, "items": [configmap("a")]})
        if expired:
            expired.pop()
            return status(410, "Expired", "The provided continue parameter is too old")
        return answer({"metadata": {"resourceVersion": "5"}, "items": [configmap("b")]})

    _, cluster = start(script)
    assert {found["metadata"]["name"] for found in cluster.listing(CONFIGMAPS)} == {"a", "b"}


def test_each_request_says_who_asks(start: Start) -> None:
    server, cluster = start(echo, user_agent="dispatch/9.9")
    cluster.version()
    headers = server.asked[0].headers
    assert headers["user-agent"] == "dispatch/9.9"
    assert headers["authorization"] == "Bearer let-me-in"
    assert headers["host"] == f"127.0.0.1:{server.port}"
