"""Following a kind over watches that end in every way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from adapters.kube.scripted_server import (
    Asked,
    ScriptedServer,
    answer,
    chunk,
    event,
    status,
)
from adapters.kube.watched import PROMPT, Follow, Watched, held, item, page, stream, wait_for

from reconciler.adapters.kube import connect, follow
from reconciler.adapters.kube import stream as streams
from reconciler.core.backoff import delay
from reconciler.model.change import EventType
from reconciler.model.outcome import Reason, Terminal

LISTING, LISTED = (EventType.LISTING, ""), (EventType.LISTED, "")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A follower waits a tenth as long, and looks often whether to end."""
    monkeypatch.setattr(follow, "delay", lambda failures, **how: delay(failures, **how) / 10)
    monkeypatch.setattr(streams, "TICK", 0.05)


def watched_versions(server: ScriptedServer) -> list[str]:
    targets = [asked.target for asked in server.asked if "watch=1" in asked.target]
    return [target.partition("resourceVersion=")[2].partition("&")[0] for target in targets]


def test_a_list_of_pages_then_a_watch_from_its_version(follower: Follow) -> None:
    pages = [page("a", "b", after="more"), page("c", version="5")]
    server, watched = follower(lambda n, _: pages[n], lambda n, _: held(event("MODIFIED", **item("a", "6"))))
    watched.until(
        LISTING,
        (EventType.ADDED, "a"),
        (EventType.ADDED, "b"),
        (EventType.ADDED, "c"),
        LISTED,
        (EventType.MODIFIED, "a"),
    )
    assert watched.documents[1]["kind"] == "ConfigMap"
    assert watched.documents[1]["apiVersion"] == "v1"
    assert "continue=more" in server.asked[1].target
    assert watched_versions(server) == ["5"]
    assert "allowWatchBookmarks=true" in server.asked[2].target


def test_a_watch_that_ends_is_taken_up_where_it_was_and_nothing_is_listed_again(follower: Follow) -> None:
    watches = [
        stream(event("ADDED", **item("a", "7")), event("BOOKMARK", **item("", "9")), b"0\r\n\r\n"),
        stream(event("DELETED", **item("a", "11"))),
        held(),
    ]
    server, watched = follower(lambda n, _: page(), lambda n, _: watches[n])
    watched.until(LISTING, LISTED, (EventType.ADDED, "a"), (EventType.DELETED, "a"))
    wait_for(lambda: len(watched_versions(server)) >= 3)
    assert watched_versions(server) == ["5", "9", "11"]


@pytest.mark.parametrize("cut", [b'{"type":"ADDED","object":{"metadata":{"na', b"not json\n", b'{"type":"ADDED"}\n'])
def test_half_a_line_is_dropped_and_asked_for_again(cut: bytes, follower: Follow) -> None:
    watches = [stream(event("ADDED", **item("a", "7")), chunk(cut)), held(event("ADDED", **item("b", "8")))]
    server, watched = follower(lambda n, _: page(), lambda n, _: watches[n])
    watched.until(LISTING, LISTED, (EventType.ADDED, "a"), (EventType.ADDED, "b"))
    assert watched_versions(server) == ["5", "7"]


GONE = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 5 (9)"}


def test_a_list_that_is_no_list_is_asked_for_again(follower: Follow) -> None:
    lists = [answer(b"<html>"), answer(b"[]"), page("a")]
    _, watched = follower(lambda n, _: lists[n], lambda n, _: held())
    watched.until(LISTING, LISTING, LISTING, (EventType.ADDED, "a"), LISTED)


@pytest.mark.parametrize("gone", [stream(event("ERROR", **GONE)), status(410, "Expired", "too old")])
def test_after_410_the_kind_is_listed_again(gone: Any, follower: Follow) -> None:
    lists, watches = [page("a"), page("b", version="20")], [gone, held()]
    server, watched = follower(lambda n, _: lists[n], lambda n, _: watches[n])
    watched.until(LISTING, (EventType.ADDED, "a"), LISTED, LISTING, (EventType.ADDED, "b"), LISTED)
    wait_for(lambda: len(watched_versions(server)) >= 2)
    assert watched_versions(server) == ["5", "20"]


def test_a_version_that_the_server_never_had_is_given_up(follower: Follow) -> None:
    def watches(n: int, asked: Asked) -> Any:
        if "resourceVersion=900&" in asked.target:
            return status(504, "Timeout", "Too large resource version: 900, current: 7")
        return held()

    lists = [page("a", version="900"), page("b", version="7")]
    _, watched = follower(lambda n, _: lists[n], watches)
    watched.until(LISTING, (EventType.ADDED, "a"), LISTED, LISTING, (EventType.ADDED, "b"), LISTED)


def test_a_list_that_breaks_off_is_begun_again_and_says_so(follower: Follow) -> None:
    lists = [page("a", after="more"), status(410, "Expired", "gone"), page("b"), page("c", version="9")]
    _, watched = follower(lambda n, _: lists[n], lambda n, _: held())
    watched.until(LISTING, (EventType.ADDED, "a"), LISTING, (EventType.ADDED, "b"), LISTED)


@pytest.mark.parametrize(
    "ending",
    [
        stream(event("ERROR", **GONE)),
        stream(event("ERROR", kind="Status", code=500, message="decoding failed")),
        stream(b"0\r\n\r\n"),
        stream(),
        status(500, "InternalError", "broken"),
        status(401, "Unauthorized", "no"),
        status(429, "TooManyRequests", "busy", {"Retry-After": "0"}),
        b"HTTP/9\r\n\r\n",
    ],
)
def test_a_server_that_ends_every_watch_at_once_is_asked_more_and_more_seldom(
    ending: Any, follower: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def shorter(failures: int, **how: float) -> float:
        waits.append(delay(failures, **how))
        return waits[-1] / 20

    monkeypatch.setattr(follow, "delay", shorter)
    began = time.monotonic()
    server, watched = follower(lambda n, _: page(), lambda n, _: ending)
    wait_for(lambda: len(watched_versions(server)) >= 5)
    assert all(wait >= least for wait, least in zip(waits[:4], (0.1, 0.2, 0.4, 0.8), strict=True))
    assert time.monotonic() - began >= sum(waits[:4]) / 20
    assert watched.stop() < PROMPT
    assert watched.error is None


def test_a_server_that_says_when_is_not_asked_before(follower: Follow) -> None:
    watches = [status(429, "TooManyRequests", "busy", {"Retry-After": "1"}), held(event("ADDED", **item("a", "7")))]
    began = time.monotonic()
    _, watched = follower(lambda n, _: page(), lambda n, _: watches[n])
    watched.until(LISTING, LISTED, (EventType.ADDED, "a"))
    assert time.monotonic() - began >= 1


def test_a_watch_in_silence_is_given_up_and_asked_for_anew(follower: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "SILENCE", 1.0)
    watches = [held(), held(event("ADDED", **item("a", "7")))]
    server, watched = follower(lambda n, _: page(), lambda n, _: watches[min(n, 1)])
    watched.until(LISTING, LISTED, (EventType.ADDED, "a"))
    assert watched_versions(server)[:2] == ["5", "5"]


def test_a_kind_that_is_not_served_is_an_empty_list_until_it_is(follower: Follow) -> None:
    absent = status(404, "NotFound", "the server could not find the requested resource")
    lists = [absent, page("a")]
    _, watched = follower(lambda n, _: lists[n], lambda n, _: held())
    watched.until(LISTING, LISTED, LISTING, (EventType.ADDED, "a"), LISTED)


def test_a_kind_that_vanishes_is_listed_as_empty(follower: Follow) -> None:
    absent = status(404, "NotFound", "the server could not find the requested resource")
    lists = [page("a"), absent, page()]
    _, watched = follower(lambda n, _: lists[min(n, 2)], lambda n, _: absent if n == 0 else held())
    watched.until(LISTING, (EventType.ADDED, "a"), LISTED, LISTING, LISTED, LISTING, LISTED)


@pytest.mark.parametrize("at", ["list", "watch"])
def test_a_kind_that_may_not_be_read_is_terminal(at: str, follower: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "DOUBTED_FOR", 0.05)
    no = status(403, "Forbidden", 'configmaps is forbidden: User "me" cannot list')
    _, watched = follower(lambda n, _: no if at == "list" else page(), lambda n, _: no)
    error = watched.ended()
    assert isinstance(error, Terminal)
    assert error.reason is Reason.FORBIDDEN
    assert 'User "me" cannot list' in error.message


def test_who_may_list_and_not_watch_is_told_so_however_often_it_is_listed(
    follower: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "DOUBTED_FOR", 0.5)
    monkeypatch.setattr(follow, "LIST_AFTER", 0)
    no = status(403, "Forbidden", 'configmaps is forbidden: User "me" cannot watch')
    _, watched = follower(lambda n, _: page(), lambda n, _: no)
    error = watched.ended()
    assert isinstance(error, Terminal)
    assert error.reason is Reason.FORBIDDEN


def test_a_server_that_forbids_what_it_allowed_is_doubted_while_it_may_be_starting(follower: Follow) -> None:
    no = status(403, "Forbidden", 'configmaps is forbidden: User "me" cannot list')
    watches = [no, no, held(event("ADDED", **item("a", "7")))]
    _, watched = follower(lambda n, _: page(), lambda n, _: watches[n])
    watched.until(LISTING, LISTED, (EventType.ADDED, "a"))


def test_new_credentials_are_taken_up_in_the_middle(tmp_path: Path) -> None:
    def script(asked: Asked) -> Any:
        if asked.headers["authorization"] != "Bearer new":
            return status(401, "Unauthorized", "Unauthorized")
        return held() if "watch=1" in asked.target else page("a")

    with ScriptedServer(script) as server:
        cluster = connect(server.kubeconfig(tmp_path, {"token": "old"}))
        server.kubeconfig(tmp_path, {"token": "new"})
        watched = Watched(cluster)
        watched.until(LISTING, LISTING, (EventType.ADDED, "a"), LISTED)
        watched.stop()
        cluster.close()


def test_selectors_and_namespaces_are_asked_for(follower: Follow) -> None:
    server, watched = follower(lambda n, _: page(), lambda n, _: held(), selector="a in (b, c)", namespace="shop")
    watched.until(LISTING, LISTED)
    wait_for(lambda: len(server.asked) >= 2)
    for asked in server.asked:
        assert asked.path == "/api/v1/namespaces/shop/configmaps"
        assert "labelSelector=a+in+%28b%2C+c%29" in asked.target


def test_watches_do_not_use_the_connections_of_requests(follower: Follow, tmp_path: Path) -> None:
    def script(asked: Asked) -> Any:
        if asked.path == "/version":
            return answer({"gitVersion": "v1"})
        return held() if "watch=1" in asked.target else page()

    with ScriptedServer(script) as server:
        cluster = connect(server.kubeconfig(tmp_path), connections=1)
        followers = [Watched(cluster) for _ in range(3)]
        for one in followers:
            one.until(LISTING, LISTED)
        assert cluster.version() == "v1"
        for one in followers:
            one.stop()
        cluster.close()
