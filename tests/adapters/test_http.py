"""The pool of HTTP connections, against a real server on loopback that behaves as servers do on bad days."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator

import pytest
import trustme
from adapters.answers import Reply, Server

from reconciler.adapters import http
from reconciler.adapters.http import Http, NoAnswer, Request


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(waits: list[float]) -> Iterator[Http]:
    made = Http(sleep=waits.append)
    yield made
    made.close()


def test_json_goes_and_comes_over_one_connection(server: Server, client: Http) -> None:
    server.replies = [Reply(201, '{"a": "ü"}'.encode())]
    for _ in range(3):
        answer = client.send(Request("POST", f"{server.url}/x?y=1", {"X-A": "b"}, {"b": 1}))
        assert (answer.status, answer.body) == (201, {"a": "ü"})
    assert server.seen == [("POST", "/x?y=1", json.dumps({"b": 1}).encode())] * 3
    assert len(server.connections) == 1


def test_what_is_no_json_is_an_answer_without_a_body(server: Server, client: Http) -> None:
    server.replies = [Reply(404, b"<html>")]
    assert client.send(Request("GET", server.url))[:3] == (404, None, None)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_reading_that_may_pass_is_tried_again(server: Server, client: Http, waits: list[float], status: int) -> None:
    server.replies = [Reply(status), Reply(status), Reply(200, b"[1]")]
    assert client.send(Request("GET", server.url)).body == [1]
    assert len(waits) == 2 and all(0 < wait <= 3 for wait in waits)


@pytest.mark.parametrize(("status", "requests"), [(429, 3), (503, 3), (500, 1), (502, 1), (504, 1), (501, 1)])
def test_a_writing_is_tried_again_only_where_the_server_has_not_done_it(
    server: Server, client: Http, status: int, requests: int
) -> None:
    server.replies = [Reply(status)]
    assert client.send(Request("POST", server.url)).status == status
    assert len(server.seen) == requests


def test_the_servers_own_wish_is_waited_for(server: Server, client: Http, waits: list[float]) -> None:
    server.replies = [Reply(429, headers={"Retry-After": "7"}), Reply(200)]
    assert client.send(Request("GET", server.url)).status == 200
    assert waits == [7.0]


@pytest.mark.parametrize("wish", ["60", "Thu, 01 Jan 2099 00:00:00 GMT"])
def test_a_long_wish_is_handed_to_the_caller(server: Server, client: Http, waits: list[float], wish: str) -> None:
    server.replies = [Reply(429, headers={"Retry-After": wish})]
    answer = client.send(Request("GET", server.url))
    assert answer.status == 429 and answer.wish is not None and answer.wish >= 60
    assert waits == [] and len(server.seen) == 1


@pytest.mark.parametrize("wish", ["soon", "-1", "", "Thu, 99"])
def test_a_wish_that_cannot_be_read_is_none(server: Server, client: Http, wish: str) -> None:
    server.replies = [Reply(500, headers={"Retry-After": wish})]
    assert client.send(Request("POST", server.url)).wish is None


@pytest.mark.parametrize("name", ["X-RateLimit", "RateLimit"])
def test_a_limit_that_is_used_up_is_a_wish_until_it_begins_anew(server: Server, client: Http, name: str) -> None:
    until = str(int(time.time()) + 600)
    server.replies = [Reply(403, headers={f"{name}-Remaining": "0", f"{name}-Reset": until})]
    wish = client.send(Request("GET", server.url)).wish
    assert wish is not None and 590 < wish <= 600
    for others in ({f"{name}-Remaining": "1"}, {f"{name}-Reset": "soon"}):
        server.replies = [Reply(403, headers={f"{name}-Remaining": "0", f"{name}-Reset": until, **others})]
        assert client.send(Request("GET", server.url)).wish is None


def test_a_lost_answer_is_asked_for_again_but_a_writing_is_not_repeated(server: Server, client: Http) -> None:
    server.replies = [Reply(cut=True), Reply(200, b"1")]
    assert client.send(Request("GET", server.url)).body == 1
    server.replies = [Reply(cut=True), Reply(200, b"1")]
    with pytest.raises(NoAnswer):
        client.send(Request("POST", server.url))
    assert [method for method, _, _ in server.seen] == ["GET", "GET", "POST"]


def test_nobody_at_the_port_is_tried_again_and_said(server: Server, client: Http, waits: list[float]) -> None:
    server.stop()
    with pytest.raises(NoAnswer, match="refused"):
        client.send(Request("POST", server.url, timeout=2))
    assert len(waits) == 2
    server.__init__()  # type: ignore[misc]


def test_a_silent_server_does_not_hold_us(server: Server, client: Http) -> None:
    server.replies = [Reply(200, b"[1, 2, 3]" * 100, drip=0.05)]
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"not whole within 0\.3 s"):
        client.send(Request("POST", server.url, timeout=0.3))
    assert time.monotonic() - began < 3


def test_an_answer_without_end_is_cut(server: Server, client: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1000)
    server.replies = [Reply(200, b"x" * 2000)]
    with pytest.raises(NoAnswer, match="over the limit of 1000 bytes"):
        client.send(Request("POST", server.url))
    server.replies = [Reply(200, b"1")]
    assert client.send(Request("GET", server.url)).body == 1


def test_no_redirect_is_followed(server: Server, client: Http) -> None:
    server.replies = [Reply(302, headers={"Location": f"{server.url}/elsewhere"})]
    assert client.send(Request("GET", server.url)).status == 302
    assert len(server.seen) == 1


def test_a_secret_is_in_no_error_and_no_repr(server: Server, client: Http) -> None:
    secret = "hunter2-hunter2"
    request = Request("GET", f"http://localhost:1/{secret}", {"Authorization": secret}, secrets=(secret,), timeout=1)
    assert secret not in repr(request).replace(request.url, "")
    with pytest.raises(NoAnswer) as caught:
        client.send(request)
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_authority_of_ones_own_is_trusted_and_a_strange_one_is_not() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = Server(context)
    try:
        trusting = Http(authority.cert_pem.bytes().decode())
        assert trusting.send(Request("GET", server.url)).status == 200
        with pytest.raises(NoAnswer, match=r"(?i)tls.*certificate"):
            Http(sleep=lambda _: None).send(Request("GET", server.url))
    finally:
        server.stop()


def test_an_authority_that_cannot_be_read_is_said() -> None:
    with pytest.raises(ValueError, match="certificate authority cannot be read"):
        Http("no certificate")
