"""One request after another to a server that is busy, in trouble, or refuses."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import pytest
from adapters.kube.scripted_server import (
    CONFIGMAPS,
    Asked,
    Once,
    Start,
    answer,
    configmap,
    echo,
    kubeconfig,
    status,
)

from reconciler.adapters.kube import connect
from reconciler.model.change import Refusal, Resource
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

SECRETS = Resource("v1", "Secret", "secrets", True)


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
    lock, together = threading.Lock(), threading.Barrier(8)
    came = running = 0
    later: list[int] = []

    def script(asked: Asked) -> bytes:
        nonlocal came, running
        with lock:
            came += 1
            first = came <= 8
            running += not first
            if not first:
                later.append(running)
        if first:
            together.wait(20)
            return status(429, "TooManyRequests", "busy", {"Retry-After": "0"})
        time.sleep(0.01)
        with lock:
            running -= 1
        return echo(asked)

    _, cluster = start(script)
    answers = cluster.apply([(CONFIGMAPS, configmap(f"web-{n}")) for n in range(30)])
    assert answers == [configmap(f"web-{n}") for n in range(30)]
    assert max(later) <= 4


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


def test_a_closed_cluster_asks_nobody(start: Start) -> None:
    server, cluster = start(echo)
    cluster.close()
    with pytest.raises(Transient, match="closed"):
        cluster.apply([(CONFIGMAPS, configmap(f"web-{n}")) for n in range(20)])
    assert not server.asked


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
