"""The server of the gates, over real HTTP on loopback: always an answer, never more than was asked."""

from __future__ import annotations

import json
import logging
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import urllib3

from reconciler.model.outcome import Terminal
from reconciler.model.rollout import Verdict
from reconciler.web.server import Gatehouse


class Asking(NamedTuple):
    """A running server, what it was asked, and what it is to say."""

    house: Gatehouse
    pool: urllib3.PoolManager
    asked: list[tuple[str, str, str, int]]
    say: dict[str, Any]

    def get(self, path: str, method: str = "GET", **more: Any) -> tuple[int, Any]:
        answer = self.pool.request(method, self.house.url + path, retries=False, timeout=5, **more)
        try:
            return answer.status, json.loads(answer.data)
        except ValueError:
            return answer.status, answer.data.decode()


@contextmanager
def answering() -> Iterator[Asking]:
    asked: list[tuple[str, str, str, int]] = []
    say: dict[str, Any] = {}

    def answer(namespace: str, rollout: str, pod_hash: str, step: int) -> tuple[Verdict, str]:
        asked.append((namespace, rollout, pod_hash, step))
        if isinstance(say["answer"], Exception):
            raise say["answer"]
        given: tuple[Verdict, str] = say["answer"]
        return given

    house = Gatehouse("127.0.0.1:0")
    house.start(answer, lambda: bool(say["ready"]))
    with urllib3.PoolManager() as pool:
        yield Asking(house, pool, asked, say)
    assert house.stop()


@pytest.fixture(scope="module")
def standing() -> Iterator[Asking]:
    """One server for all that leave it as it was: it takes a fifth of a second to end."""
    with answering() as made:
        yield made


@pytest.fixture
def gates(standing: Asking) -> Asking:
    standing.asked.clear()
    standing.say.update(answer=(Verdict.PASS, "approved by ada"), ready=False)
    return standing


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_gate_is_asked_about_exactly_one_version_and_step(gates: Asking, method: str) -> None:
    assert gates.get("/gates/shop/web/5d4f8c7b9/2", method) == (200, {"verdict": "pass", "why": "approved by ada"})
    assert gates.asked == [("shop", "web", "5d4f8c7b9", 2)]


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_an_answer_of_200(gates: Asking, verdict: Verdict) -> None:
    gates.say["answer"] = (verdict, "so it is")
    assert gates.get("/gates/shop/web/h/0") == (200, {"verdict": verdict.value, "why": "so it is"})


def test_what_goes_wrong_inside_is_wait(gates: Asking, caplog: pytest.LogCaptureFixture) -> None:
    gates.say["answer"] = RuntimeError("password=hunter2")
    status, answer = gates.get("/gates/shop/web/h/0")
    assert (status, answer["verdict"]) == (200, "wait")
    assert "hunter2" not in answer["why"]
    assert any("could not be judged" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    "path",
    [
        "/gates/",
        "/gates/shop",
        "/gates/shop/web/h",
        "/gates/shop/web/h/1/2",
        "/gates/shop//h/1",
        "/gates/shop/web/h/",
        "/gates/shop/web/h/one",
        "/gates/shop/web/h/-1",
        "/gates/shop/web/h/1.0",
        "/gates/shop/web/h/%D9%A1",
        "/gates/shop/web/h/99999999999999999999",
    ],
)
def test_a_question_that_is_none_is_wait_and_asks_nobody(gates: Asking, path: str) -> None:
    status, answer = gates.get(path)
    assert (status, answer["verdict"]) == (200, "wait")
    assert gates.asked == []


def test_a_body_is_not_needed_and_not_read(gates: Asking) -> None:
    assert gates.get("/gates/shop/web/h/0", "POST", body=b"x" * 1_000_000)[0] == 200
    assert gates.get("/gates/shop/web/h/0", "POST", body=b"{not json", headers={"Content-Type": "a/b"})[0] == 200


def test_it_lives_before_it_is_ready(gates: Asking) -> None:
    assert gates.get("/healthz")[0] == 200
    assert gates.get("/readyz")[0] == 503
    gates.say["ready"] = True
    assert gates.get("/readyz")[0] == 200


@pytest.mark.parametrize("path", ["/", "/gates", "/metrics", "/docs", "/openapi.json", "/healthz/", "/../etc/passwd"])
def test_nothing_else_is_served(gates: Asking, path: str) -> None:
    assert gates.get(path)[0] == 404
    assert gates.get("/healthz", "POST")[0] == 405


def test_it_answers_within_ten_milliseconds(gates: Asking) -> None:
    times = []
    for _ in range(50):
        began = time.perf_counter()
        gates.get("/gates/shop/web/h/0")
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < 0.010


def test_it_makes_no_noise(gates: Asking, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.INFO)
    gates.get("/gates/shop/web/h/0")
    gates.get("/nothing")
    assert [record.message for record in caplog.records if record.name.startswith("uvicorn")] == []
    assert capfd.readouterr() == ("", "")


def test_a_taken_port_says_so_and_the_way_out(gates: Asking) -> None:
    with pytest.raises(Terminal) as told:
        Gatehouse(gates.house.address)
    assert f"cannot listen on {gates.house.address}" in told.value.message
    assert "Address already in use" in told.value.message
    assert "--listen" in told.value.message


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", "a:b", "127.0.0.1:99999", "::1:80", "http://x:80", " :1"])
def test_what_is_no_address_is_told(listen: str) -> None:
    with pytest.raises(Terminal, match="--listen"):
        Gatehouse(listen)


def test_its_address_is_known_before_it_answers() -> None:
    house = Gatehouse("127.0.0.1:0")
    assert house.address.startswith("127.0.0.1:")
    assert house.url == f"http://{house.address}"
    assert not house.address.endswith(":0")
    assert house.stop()


def test_all_addresses_are_reached_by_the_loopback_one() -> None:
    house = Gatehouse("0.0.0.0:0")
    assert house.url.startswith("http://127.0.0.1:")
    assert house.stop()


def test_it_stops_within_two_seconds_while_it_is_asked_and_frees_its_port(gates: Asking) -> None:
    house = Gatehouse("127.0.0.1:0")
    house.start(lambda *_: (Verdict.WAIT, "x"), lambda: True)
    host, port = house.address.split(":")
    with urllib3.PoolManager() as pool, socket.create_connection((host, int(port))) as silent:
        silent.sendall(b"GET /gates/a/b/c/0 HTTP/1.1\r\n")
        assert pool.request("GET", f"{house.url}/healthz").status == 200
        began = time.monotonic()
        assert house.stop()
        assert time.monotonic() - began < 2.0
    again = Gatehouse(f"{host}:{port}")
    assert again.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "gates" and not thread.daemon]
