"""Slack's Web API on loopback, for what cannot run here: chat.postMessage, chat.update and conversations.history as
docs.slack.dev documents them, over real HTTP, with its errors and its limits.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "xoxb-1-good-token"
CHANNEL = "C0123456789"


class Trouble(Exception):
    """What the next request gets instead of its answer: `status`, and the headers and body that belong to it.

    With `after` the request is carried out first, and only its answer is another one.
    """

    def __init__(self, status: int, error: str = "", retry_after: int | None = None, after: bool = False) -> None:
        super().__init__(error)
        self.status, self.error, self.retry_after, self.after = status, error, retry_after, after


HANG_UP = Trouble(0)
LOST_ANSWER = Trouble(0, after=True)


class Slack:
    """One workspace with one channel. `messages` are those of the channel, the oldest first, `replies` by thread.

    `troubles` are used up one by one; `down` is answered with for as long as it is set; `slow` seconds pass first.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self.updates: list[dict[str, Any]] = []
        self.troubles: list[Trouble] = []
        self.down: Trouble | None = None
        self.slow = 0.0
        self.scopes = {"chat:write", "channels:history"}
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._clock = time.time()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"slack": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def texts(self) -> list[str]:
        """The first line of each message of the channel."""
        return [message["text"] for message in self.messages if "thread_ts" not in message]

    def said(self, thread: str) -> list[str]:
        return [reply["text"] for reply in self.replies.get(thread, [])]

    def answer(self, method: str, token: str, given: dict[str, Any]) -> dict[str, Any]:
        """The body of an answer 200, as Slack gives it: errors have `ok: false`."""
        with self._lock:
            self.asked.append(method)
            if token != TOKEN:
                return _error("invalid_auth" if token else "not_authed")
            scope = "channels:history" if method == "conversations.history" else "chat:write"
            if scope not in self.scopes:
                return {**_error("missing_scope"), "needed": scope, "provided": ",".join(sorted(self.scopes))}
            if given.get("channel") != CHANNEL:
                return _error("channel_not_found")
            call = {"chat.postMessage": self._post, "chat.update": self._update, "conversations.history": self._history}
            return call[method](given) if method in call else _error("unknown_method")

    def _post(self, given: dict[str, Any]) -> dict[str, Any]:
        if wrong := _unfit(given):
            return _error(wrong)
        self._clock = max(self._clock + 0.000001, time.time())
        message = {"type": "message", "ts": f"{self._clock:.6f}", "text": given.get("text", ""), "bot_id": "B1"}
        message |= {key: given[key] for key in ("blocks", "metadata", "thread_ts") if key in given}
        thread = given.get("thread_ts")
        if thread:
            self.replies.setdefault(thread, []).append(message)
        if not thread or given.get("reply_broadcast"):
            self.messages.append({**message, **({"subtype": "thread_broadcast"} if thread else {})})
        return {"ok": True, "channel": CHANNEL, "ts": message["ts"], "message": message}

    def _update(self, given: dict[str, Any]) -> dict[str, Any]:
        if wrong := _unfit(given):
            return _error(wrong)
        for message in self.messages:
            if message["ts"] == given.get("ts"):
                message |= {key: given[key] for key in ("text", "blocks", "metadata") if key in given}
                self.updates.append(dict(message))
                return {"ok": True, "channel": CHANNEL, "ts": message["ts"], "text": message["text"]}
        return _error("message_not_found")

    def _history(self, given: dict[str, Any]) -> dict[str, Any]:
        oldest, limit = float(given.get("oldest") or 0), int(given.get("limit") or 100)
        start = int(given.get("cursor") or 0)
        found = [each for each in reversed(self.messages) if float(each["ts"]) > oldest]
        page = [dict(each) for each in found[start : start + limit]]
        if str(given.get("include_all_metadata")).lower() not in ("1", "true"):
            for each in page:
                each.pop("metadata", None)
        more = start + limit < len(found)
        answer: dict[str, Any] = {"ok": True, "messages": page, "has_more": more}
        if more:
            answer["response_metadata"] = {"next_cursor": str(start + limit)}
        return answer


def _error(said: str) -> dict[str, Any]:
    return {"ok": False, "error": said}


def _unfit(given: dict[str, Any]) -> str:
    blocks = given.get("blocks") or []
    if not blocks and not given.get("text"):
        return "no_text"
    if len(blocks) > 50:
        return "invalid_blocks"
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    if any(not 1 <= len(text) <= 3000 for text in texts):
        return "invalid_blocks"
    return "msg_too_long" if len(given.get("text") or "") > 40_000 else ""


class _Handler(BaseHTTPRequestHandler):
    slack: Slack
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes: the second would wait 40 ms for the client

    def log_message(self, *_: object) -> None:
        """Nothing: the test reads `asked`."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        split = urlsplit(self.path)
        given: dict[str, Any] = dict(parse_qsl(split.query))
        if "json" in (self.headers.get("Content-Type") or ""):
            given |= json.loads(body or "{}")
        else:
            given |= dict(parse_qsl(body))
        method = split.path.removeprefix("/api/")
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        trouble = self.slack.down or (self.slack.troubles.pop(0) if self.slack.troubles else None)
        time.sleep(self.slack.slow)
        try:
            if trouble is None or trouble.after:
                answer = self.slack.answer(method, token, given)
            if trouble is None:
                self._send(200, answer)
            elif not trouble.status:
                self.close_connection = True
            else:
                retry = {} if trouble.retry_after is None else {"Retry-After": str(trouble.retry_after)}
                self._send(trouble.status, _error(trouble.error) if trouble.error else None, retry)
        except OSError:
            self.close_connection = True

    do_GET = do_POST

    def _send(self, status: int, body: dict[str, Any] | None, headers: dict[str, str] | None = None) -> None:
        content = b"<html>broken</html>" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if body is None else "application/json; charset=utf-8")
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def slack_workspace() -> Iterator[Slack]:
    slack = Slack()
    try:
        yield slack
    finally:
        slack.stop()
