"""A door in front of the sandbox's Gitea, on loopback: it counts what is asked, and lets a test act in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import urllib3


class Asked(NamedTuple):
    """One request to the API; `path` is without the query."""

    method: str
    path: str


class Reply(NamedTuple):
    """An answer in Gitea's place."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = {}


class GiteaDoor:
    """`url` is the API's. `before` runs before a request is handed on, and may answer in Gitea's place."""

    def __init__(self, gitea: str) -> None:
        self.seen: list[Asked] = []
        self.before: Callable[[Asked], Reply | None] = lambda asked: None
        outer, pool = self, urllib3.PoolManager(retries=False, timeout=60)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # an answer is two writes: the second would wait 40 ms for the client

            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path.partition("?")[0])
                outer.seen.append(asked)
                reply = outer.before(asked)
                if reply is None:
                    kept = {name: self.headers[name] for name in _ASKED if name in self.headers} | {
                        "Connection": "close"
                    }
                    answer = pool.request(
                        self.command, gitea + self.path, body=content or None, headers=kept, redirect=False
                    )
                    told = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
                    reply = Reply(answer.status, answer.data, told)
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                """Nothing: the test reads `seen`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/v1"

    @property
    def writes(self) -> list[Asked]:
        return [each for each in self.seen if each.method != "GET"]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


_ASKED = ("Authorization", "Content-Type", "Accept")
_TOLD = ("Content-Type", "Link", "X-Total-Count")
