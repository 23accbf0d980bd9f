"""A door in front of a real registry, on loopback: it asks who comes, as registries of companies do, and can lie."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import urllib3

USER, PASSWORD, TOKEN = "robot", "pass-6f1c", "token-93ab"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Reply(NamedTuple):
    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


class Asked(NamedTuple):
    method: str
    path: str
    authorization: str


Rule = Callable[[Asked], Reply | None]


class Door:
    """Answers by `rule`, and hands on to the registry behind (None: 404) what the rule leaves alone."""

    def __init__(self, behind: str | None, rule: Rule = lambda asked: None) -> None:
        self.rule = rule
        self.seen: list[Asked] = []
        outer, pool = self, urllib3.PoolManager(retries=False, timeout=30)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # an answer is two writes: the second would wait 40 ms for the client

            def do_GET(self) -> None:
                asked = Asked(self.command, self.path, self.headers.get("Authorization", ""))
                outer.seen.append(asked)
                reply = outer.rule(asked)
                if reply is None and behind is not None:
                    given = {name: self.headers[name] for name in ("Accept", "If-None-Match") if name in self.headers}
                    answer = pool.request(self.command, behind + self.path, headers=given, redirect=False)
                    kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
                    reply = Reply(answer.status, kept, answer.data)
                status, headers, body = reply or Reply(404)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                """Nothing: the test reads `seen`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


KEPT = ("Content-Type", "Docker-Content-Digest", "Etag", "Link")


def basic(asked: Asked) -> Reply | None:
    """Lets in who knows the password."""
    return None if asked.authorization == BASIC else Reply(401, {"WWW-Authenticate": 'Basic realm="registry"'})


class TokenServer:
    """The rule of a registry with tokens: its realm is the same door, or another one."""

    def __init__(self, realm: Callable[[], str], lives: int = 300) -> None:
        self.realm, self.lives, self.given = realm, lives, 0
        self.token = TOKEN

    def __call__(self, asked: Asked) -> Reply | None:
        if asked.path.startswith("/token"):
            if asked.authorization != BASIC:
                return Reply(401)
            self.given += 1
            return as_json({"token": self.token, "expires_in": self.lives})
        if asked.authorization == f"Bearer {self.token}":
            return None
        asks = f'Bearer realm="{self.realm()}",service="registry.example",scope="repository:x:pull"'
        return Reply(401, {"WWW-Authenticate": asks})


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {"Content-Type": "application/json", **headers}, json.dumps(value).encode())
