"""The receiver of forges' events over real HTTP on loopback, from the socket to the keys that are woken."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import resource
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import urllib3
from forges.signing import hexed, signed

from reconciler.adapters.clock import SystemClock
from reconciler.engine import git_hooks
from reconciler.engine.catalog import Catalog
from reconciler.engine.git_hooks import GitHooks
from reconciler.engine.keys import Key
from reconciler.model.rollout import Verdict
from reconciler.web.git_hooks import MAX_BODY
from reconciler.web.server import Gatehouse

SECRET = "the secret of the hook"
CONFIG = Key("Repository", "team-a", "config")
FEED, PROMOTION = Key("ImageFeed", "team-a", "shop"), Key("Promotion", "team-a", "shop")
BODY = b'{"ref": "refs/heads/main", "after": "0123"}'
SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Moving(SystemClock):
    """The machine's clock, moved on by hand."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Receiver(NamedTuple):
    """A running server, what it woke, and the secrets that it knows."""

    url: str
    woken: list[Key]
    hooks: GitHooks
    clock: Moving
    pool: urllib3.PoolManager

    def post(self, body: bytes, headers: dict[str, str], name: str = "config") -> int:
        url = f"{self.url}/hooks/git/team-a/{name}"
        return self.pool.request("POST", url, body=body, headers=headers, retries=False, timeout=30).status

    def woke(self) -> set[Key]:
        """What was woken since the last look."""
        found = set(self.woken)
        self.woken.clear()
        return found


def documents() -> list[dict[str, Any]]:
    def document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "team-a", "uid": f"{kind}-{name}"}
        return {"apiVersion": "dispatch.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}

    two = [{"name": "staging", "application": "web"}, {"name": "production", "application": "web-production"}]
    feed = {"image": "r.example/a", "policy": {"semver": "1"}, "writes": [{"repository": "config", "path": "a"}]}
    return [
        document("Repository", "config", {"url": "https://git.example/team/config"}),
        document("Application", "web", {"source": {"repository": "config"}}),
        document("Application", "other", {"source": {"repository": "other"}}),
        document("Promotion", "shop", {"environments": two}),
        document("ImageFeed", "shop", feed),
        document("ImageFeed", "other", {**feed, "writes": [{"repository": "other", "path": "a"}]}),
    ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    woken: list[Key] = []
    catalog, clock = Catalog(lambda key: None), Moving()
    for document in documents():
        catalog.observe(document)
    hooks = GitHooks(woken.append, catalog, clock)
    hooks.learn(CONFIG, "gitea", SECRET)
    house = Gatehouse("127.0.0.1:0")
    house.start(lambda *_: (Verdict.WAIT, "x"), lambda: True, begin=hooks.begin)
    with urllib3.PoolManager() as pool:
        yield Receiver(house.url, woken, hooks, clock, pool)
    assert house.stop()


@pytest.mark.parametrize("kind", ["gitea", "github", "gitlab"])
def test_a_push_wakes_the_repository_and_a_review_also_what_waits_for_it(receiver: Receiver, kind: str) -> None:
    receiver.hooks.learn(CONFIG, kind, SECRET)
    assert receiver.post(BODY, signed(kind, SECRET, BODY)) == 202
    assert receiver.woke() == {CONFIG}
    for number, event in enumerate(("pull_request", "status", "something_new")):
        body = f'{{"number": {number}}}'.encode()
        assert receiver.post(body, signed(kind, SECRET, body, event)) == 202
        assert receiver.woke() == {CONFIG, PROMOTION, FEED}


def test_a_ping_is_answered_and_wakes_nobody(receiver: Receiver) -> None:
    receiver.hooks.learn(CONFIG, "github", SECRET)
    assert receiver.post(BODY, signed("github", SECRET, BODY, "ping")) == 202
    assert receiver.woke() == set()
    heard = receiver.hooks.heard(CONFIG).last
    assert heard is not None and (datetime.now(UTC) - heard).total_seconds() < 5


def test_events_out_of_order_wake_the_same_as_in_order(receiver: Receiver) -> None:
    """An event says nothing about the state, so there is no order to get wrong."""
    bodies = [b'{"action": "closed"}', b'{"action": "synchronized"}', b'{"action": "opened"}']
    for body in bodies:
        assert receiver.post(body, signed("gitea", SECRET, body, "pull_request")) == 202
        assert receiver.woke() == {CONFIG, PROMOTION, FEED}


def test_a_delivery_that_comes_again_is_answered_and_wakes_nobody(receiver: Receiver) -> None:
    headers = signed("gitea", SECRET, BODY)
    assert receiver.post(BODY, headers) == 202
    assert receiver.woke() == {CONFIG}
    assert receiver.post(BODY, headers) == 202
    assert receiver.woke() == set()
    # A week later, and under another delivery id, which nobody signs.
    receiver.clock.ahead = 7 * 86_400
    assert receiver.post(BODY, {**headers, "X-Gitea-Delivery": "another", "X-GitHub-Delivery": "another"}) == 202
    assert receiver.woke() == set()


def test_a_delivery_that_gitlab_tries_again_is_known_whatever_ids_it_has(receiver: Receiver) -> None:
    receiver.hooks.learn(CONFIG, "gitlab", SECRET)
    headers = signed("gitlab", SECRET, BODY)
    old = {name: value for name, value in headers.items() if name != "Idempotency-Key"}
    assert [receiver.post(BODY, each) for each in (headers, headers, old)] == [202, 202, 202]
    assert receiver.woken == [CONFIG]
    assert receiver.post(b"{}", {**old}) == 202
    assert receiver.woken == [CONFIG, CONFIG], "another event may share the event's UUID (GitLab, recursive webhooks)"


def test_what_comes_for_one_repository_does_not_hide_it_from_another(receiver: Receiver) -> None:
    other = Key("Repository", "team-a", "other")
    receiver.hooks.learn(other, "gitea", SECRET)
    headers = signed("gitea", SECRET, BODY)
    assert (receiver.post(BODY, headers), receiver.post(BODY, headers, "other")) == (202, 202)
    assert receiver.woke() == {CONFIG, other}


def test_the_memory_of_deliveries_is_bounded(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_hooks, "_KEPT", 10)
    for number in range(20):
        body = f"{number}".encode()
        receiver.post(body, signed("gitea", SECRET, body))
    assert len(receiver.hooks._known) == 10
    receiver.woke()
    assert receiver.post(b"0", signed("gitea", SECRET, b"0")) == 202
    assert receiver.woke() == {CONFIG}, "what was forgotten costs one look at the remote"


@pytest.mark.parametrize("kind", ["gitea", "github"])
def test_wrong_empty_and_sha1_signatures_are_refused(receiver: Receiver, kind: str) -> None:
    receiver.hooks.learn(CONFIG, kind, SECRET)
    good = signed(kind, SECRET, BODY)
    sha1 = {name: value for name, value in good.items() if "256" not in name and "Gitea-Sig" not in name}
    for headers in (signed(kind, "wrong", BODY), signed(kind, "", BODY), sha1, {}):
        receiver.clock.ahead += 60
        assert receiver.post(BODY, headers) == 401
        assert receiver.woke() <= {CONFIG}
    assert receiver.post(BODY + b" ", good) == 401
    assert receiver.hooks.heard(CONFIG).refused == 5
    assert receiver.hooks.heard(CONFIG).last is None


def test_giteas_delivery_looks_like_githubs_and_is_no_githubs(receiver: Receiver) -> None:
    headers = signed("gitea", SECRET, BODY)
    forged = {**headers, "X-Gitea-Signature": hexed("guess", BODY)}
    assert receiver.post(BODY, forged) == 401, "GitHub's header is right, and does not count here"
    receiver.hooks.learn(CONFIG, "github", SECRET)
    gitea_only = {name: value for name, value in headers.items() if "Hub" not in name}
    assert receiver.post(BODY, gitea_only) == 401
    assert receiver.post(BODY, headers) == 202


def test_forms_are_taken_as_each_forge_signs_them(receiver: Receiver) -> None:
    form = urlencode({"payload": BODY}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert receiver.post(form, signed("gitea", SECRET, BODY) | kind) == 202
    receiver.hooks.learn(CONFIG, "github", SECRET)
    assert receiver.post(form, signed("github", SECRET, form) | kind) == 202
    assert receiver.post(form, signed("github", SECRET, BODY) | kind) == 401


def test_gitlabs_token_and_signing_token(receiver: Receiver) -> None:
    receiver.hooks.learn(CONFIG, "gitlab", SECRET)
    assert receiver.post(BODY, {"X-Gitlab-Token": "wrong"}) == 401
    assert receiver.post(BODY, {"X-Gitlab-Token": SECRET}) == 202
    receiver.hooks.forget(CONFIG)
    receiver.hooks.learn(CONFIG, "gitlab", SIGNING)
    for apart, status in ((0, 202), (-400, 401), (400, 401)):
        at = f"{time.time() + apart:.0f}"
        mac = hmac.new(b"k" * 32, f"m{apart}.{at}.".encode() + BODY, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        told = {"webhook-id": f"m{apart}", "webhook-timestamp": at, "webhook-signature": signature}
        assert receiver.post(BODY, told) == status
    assert receiver.post(BODY, {"X-Gitlab-Token": SIGNING}) == 401


def test_a_body_of_25_mib_is_taken_one_more_byte_is_not_and_neither_is_kept(receiver: Receiver) -> None:
    body = b"x" * MAX_BODY
    headers = signed("gitea", SECRET, body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert receiver.post(body, headers) == 202
    assert receiver.woke() == {CONFIG}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10 * 1024, "in KiB: nothing of it is kept"
    host, _, port = receiver.url.removeprefix("http://").partition(":")
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    start = f"POST /hooks/git/team-a/config HTTP/1.1\r\nHost: x\r\n{told}"
    with socket.create_connection((host, int(port)), timeout=10) as one:
        one.sendall(f"{start}Content-Length: {MAX_BODY + 1}\r\n\r\n".encode())
        assert one.recv(100).startswith(b"HTTP/1.1 413"), "before any of it is sent"
    # Of this one the length is not told; it is answered, and cut off, while it is sent.
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        assert receiver.post(pieces(MAX_BODY + (1 << 20)), headers) == 413
    assert receiver.woke() == set()


def pieces(size: int) -> Any:
    """A body whose length is not told."""
    return (b"x" * (1 << 20) for _ in range(size >> 20))


def test_an_event_is_answered_within_100_ms_also_while_others_are_slow(receiver: Receiver) -> None:
    host, _, port = receiver.url.removeprefix("http://").partition(":")
    told = "".join(f"{name}: {value}\r\n" for name, value in signed("gitea", SECRET, BODY).items())
    head = f"POST /hooks/git/team-a/config HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n{told}\r\n".encode()
    slow = [socket.create_connection((host, int(port))) for _ in range(20)]
    for each in slow:
        each.sendall(head + b"x")
    big = b"x" * (4 * 1024 * 1024)
    other = threading.Thread(target=lambda: receiver.post(big, signed("gitea", "wrong", big)))
    other.start()
    times = []
    for number in range(50):
        body = f"{number}".encode()
        began = time.perf_counter()
        assert receiver.post(body, signed("gitea", SECRET, body)) == 202
        times.append(time.perf_counter() - began)
    other.join()
    for each in slow:
        each.close()
    assert statistics.quantiles(times, n=10)[-1] < 0.100, "nine of ten, on a machine that does other things, too"


def test_who_is_not_known_is_told_so_whatever_they_send(receiver: Receiver) -> None:
    assert receiver.post(BODY, signed("gitea", SECRET, BODY), "nobody") == 404
    receiver.hooks.forget(CONFIG)
    assert receiver.post(BODY, signed("gitea", SECRET, BODY)) == 404
    assert receiver.pool.request("GET", f"{receiver.url}/hooks/git/team-a/config", retries=False).status == 405
    assert receiver.woke() == set()


def test_the_former_secret_is_good_for_ten_minutes(receiver: Receiver) -> None:
    receiver.hooks.learn(CONFIG, "gitea", "new")
    assert receiver.post(b"1", signed("gitea", SECRET, b"1")) == 202
    assert receiver.post(b"2", signed("gitea", "new", b"2")) == 202
    receiver.clock.ahead = 601
    assert receiver.post(b"3", signed("gitea", SECRET, b"3")) == 401
    assert receiver.post(b"4", signed("gitea", "new", b"4")) == 202


def test_a_flood_of_wrong_signatures_wakes_the_repository_once_in_a_while(receiver: Receiver) -> None:
    """Its Secret may have been changed, so it is read again; but nobody can make Dispatch ask the remote at will."""
    for _ in range(50):
        assert receiver.post(BODY, signed("gitea", "wrong", BODY)) == 401
    assert receiver.woken == [CONFIG]
    receiver.clock.ahead = 31
    assert receiver.post(BODY, signed("gitea", "wrong", BODY)) == 401
    assert receiver.woken == [CONFIG, CONFIG]


def test_a_sender_that_goes_away_is_no_event(receiver: Receiver) -> None:
    host, _, port = receiver.url.removeprefix("http://").partition(":")
    told = "".join(f"{name}: {value}\r\n" for name, value in signed("gitea", SECRET, BODY).items())
    head = f"POST /hooks/git/team-a/config HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n{told}\r\n".encode()
    with socket.create_connection((host, int(port))) as gone:
        gone.sendall(head + BODY[:10])
    assert receiver.post(b"1", signed("gitea", SECRET, b"1")) == 202
    assert receiver.woken == [CONFIG]


def test_nothing_secret_is_answered_or_logged(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    url = f"{receiver.url}/hooks/git/team-a/config"
    answer = receiver.pool.request("POST", url, body=BODY, headers=signed("gitea", "wrong", BODY), retries=False)
    assert answer.status == 401
    assert SECRET not in answer.data.decode() + caplog.text
    assert hexed(SECRET, BODY) not in answer.data.decode() + caplog.text
