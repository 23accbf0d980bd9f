"""The messenger for webhooks: JSON that is signed, and what its answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from reconciler.adapters.notify.opening import open_messenger
from reconciler.adapters.notify.webhook import WebhookMessenger
from reconciler.model.notice import Notice, NoticeEvent, Subject
from reconciler.model.notifier import NotifierSpec
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

NOTICE = Notice(NoticeEvent.ABORTED, Subject("team-a", "shop", "store"), "a" * 40, "shop aborted", ("why",))
KEY = "a key of sixteen"


class Receiver:
    """`status` is what it answers; `seen` are (path, headers, body)."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Page(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append((self.path, dict(self.headers), body))
                self.send_response(outer.status)
                for name, value in {**outer.headers, "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook/s3cr3t-path?token=s3cr3t"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.stop()


def test_a_notice_is_json_that_the_key_signs(receiver: Receiver) -> None:
    WebhookMessenger(receiver.url, KEY).post(NOTICE)
    ((path, headers, body),) = receiver.seen
    assert path == "/hook/s3cr3t-path?token=s3cr3t"
    wanted = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Dispatch-Signature-256"] == f"sha256={wanted}"
    assert headers["X-Dispatch-Event"] == "Aborted"
    told = json.loads(body)
    assert told["id"].startswith(told["key"] + "#")
    assert {name: told[name] for name in ("event", "severity", "namespace", "application", "project", "lines")} == {
        "event": "Aborted",
        "severity": "critical",
        "namespace": "team-a",
        "application": "shop",
        "project": "store",
        "lines": ["why"],
    }


def test_each_notice_is_one_request_and_what_is_no_news_is_none(receiver: Receiver) -> None:
    webhook = WebhookMessenger(receiver.url)
    id = webhook.post(NOTICE)
    assert webhook.update(id, NOTICE)
    webhook.reply(id, NOTICE)
    assert len(receiver.seen) == 2
    assert "X-Dispatch-Signature-256" not in receiver.seen[0][1]


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (500, Transient, Reason.NOTICE_UNREACHABLE),
        (404, Terminal, Reason.NOTICE_REFUSED),
        (302, Terminal, Reason.NOTICE_REFUSED),
        (401, Terminal, Reason.NOTICE_REFUSED),
        (422, Terminal, Reason.NOTICE_UNFIT),
    ],
)
def test_only_2xx_is_taken_and_the_url_is_never_said(
    receiver: Receiver, status: int, outcome: type[StageError], reason: Reason
) -> None:
    receiver.status = status
    receiver.headers = {"Location": "http://127.0.0.1:9/"}
    with pytest.raises(outcome) as told:
        WebhookMessenger(receiver.url, KEY).post(NOTICE)
    assert told.value.reason is reason
    assert "s3cr3t" not in str(told.value)
    assert KEY not in str(told.value)
    assert len(receiver.seen) == 1


def test_a_busy_receiver_says_when_to_come_again(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "40"}
    with pytest.raises(Transient) as told:
        WebhookMessenger(receiver.url).post(NOTICE)
    assert told.value.retry_after == 40.0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "field 'url' of Secret 'hook' is missing"),
        ({"url": base64.b64encode(b"ftp://h/x").decode()}, "must be https://HOST/PATH"),
        ({"url": base64.b64encode(b"\xff").decode()}, "is not UTF-8 text"),
    ],
)
def test_a_secret_that_lacks_something_says_which_field(data: dict[str, str], words: str) -> None:
    spec = NotifierSpec.model_validate({"webhook": {"secretRef": {"name": "hook"}}})
    with pytest.raises(Terminal) as told:
        open_messenger(spec, data)
    assert told.value.reason is Reason.CREDENTIALS_NOT_FOUND
    assert words in told.value.message
