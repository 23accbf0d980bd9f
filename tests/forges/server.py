"""What the servers that stand in for GitHub and GitLab share: real HTTP on loopback, a real bare repository behind it,
accounts with rights, and bad days.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from adapters.git.upstream import ENVIRONMENT, Upstream

MAKER = {"GIT_AUTHOR_NAME": "Forge", "GIT_AUTHOR_EMAIL": "forge@example.com"}


class Account(NamedTuple):
    """Somebody at the server. `right` is admin, write, read or none: what they may do with the repository."""

    name: str
    right: str
    id: int


class Reply(NamedTuple):
    status: int
    body: Any = None
    headers: dict[str, str] = {}


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(status)
        self.reply = Reply(status, body, headers)


class Asked(NamedTuple):
    """One request. `query` holds the last value of each name."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    account: Account | None
    headers: dict[str, str]


@dataclass
class Pull:
    """One pull request as the servers keep it. `looks` is how often it is still "being looked at" when it is read."""

    number: int
    head: str
    base: str
    title: str
    body: str
    author: Account
    state: str = "open"
    draft: bool = False
    fork: bool = False
    merge_commit: str = ""
    frozen: str = ""
    looks: int = 1
    planned: bool = False
    versions: list[dict[str, Any]] = field(default_factory=list)
    merged_by: Account | None = None
    merged_at: str = ""
    reviews: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)

    def merged(self, commit: str, who: Account | None) -> None:
        self.state, self.merge_commit, self.merged_by = "merged", commit, who
        self.merged_at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z"


class Bare:
    """The repository: what the forge knows of branches and merges comes from real git."""

    def __init__(self, path: Path) -> None:
        self.upstream = Upstream(path)
        self.path = path

    def head(self, branch: str) -> str | None:
        return self.upstream.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}") or None

    def message(self, commit: str) -> str:
        return self.upstream.git("log", "-1", "--format=%B", commit).strip()

    def has(self, commit: str) -> bool:
        done = subprocess.run(["git", "cat-file", "-e", commit], cwd=self.path, env=ENVIRONMENT, capture_output=True)
        return done.returncode == 0

    def ahead(self, base: str, head: str) -> bool:
        return self.upstream.git("rev-list", "--count", f"{base}..{head}") != "0"

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of a merge, None for a conflict."""
        done = subprocess.run(
            ["git", "merge-tree", "--write-tree", base, head], cwd=self.path, env=ENVIRONMENT, capture_output=True
        )
        return done.stdout.decode().split("\n")[0] if done.returncode == 0 else None

    def merge(self, base: str, head: str, message: str, squash: bool = False) -> str | None:
        """Move the branch `base` to the merge with the commit `head`; its id, None for a conflict."""
        tree, before = self.merged_tree(base, head), self.head(base)
        if tree is None or before is None:
            return None
        parents = ["-p", before] if squash else ["-p", before, "-p", head]
        done = subprocess.run(
            ["git", "commit-tree", tree, *parents, "-m", message],
            cwd=self.path,
            env={**ENVIRONMENT, **MAKER},
            capture_output=True,
            check=True,
        )
        commit = done.stdout.decode().strip()
        self.upstream.git("update-ref", f"refs/heads/{base}", commit, before)
        return commit

    def delete(self, branch: str) -> None:
        self.upstream.git("update-ref", "-d", f"refs/heads/{branch}")


Handle = Callable[[Asked, "re.Match[str]"], Reply]


class ForgeServer:
    """One repository `team/config` at a server. `seen` are the requests as `METHOD path`, `writes` those that change.

    `bad` may give another answer to a request; `slow` is seconds before each answer.
    """

    root = ""
    forbidden: Any = {"message": "Forbidden"}
    unknown: Any = {"message": "Unauthorized"}

    def __init__(self, bare: Bare) -> None:
        self.bare = bare
        self.accounts: dict[str, Account] = {}
        self.pulls: dict[int, Pull] = {}
        self.statuses: list[dict[str, Any]] = []
        self.approvals_needed = 0
        self.settings: dict[str, Any] = {}
        self.seen: list[str] = []
        self.bad: Callable[[Asked], Reply | None] = lambda asked: None
        self.before: Callable[[Asked], None] = lambda asked: None
        self.slow = 0.0
        self.lock = threading.RLock()
        self.unchanged = 0
        self._ids = 1000
        self._routes: list[tuple[str, re.Pattern[str], Handle]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"forge": self}))
        self._server.daemon_threads = True
        self.origin = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def api(self) -> str:
        return f"{self.origin}{self.root}"

    @property
    def writes(self) -> list[str]:
        return [each for each in self.seen if not each.startswith("GET ")]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def account(self, name: str, right: str, token: str) -> Account:
        made = self.accounts[token] = Account(name, right, self.next_id())
        return made

    def known(self, name: str) -> Account | None:
        return next((each for each in self.accounts.values() if each.name == name), None)

    def add(self, head: str, base: str, title: str, body: str, author: Account, **more: Any) -> Pull:
        number = len(self.pulls) + 1
        pull = self.pulls[number] = Pull(number, head, base, title, body, author, **more)
        return pull

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def route(self, method: str, pattern: str, handle: Handle) -> None:
        self._routes.append((method, re.compile(pattern), handle))

    def head_of(self, pull: Pull) -> str:
        """What the head holds; as it was when the pull request ended or its branch went away."""
        if pull.state == "open" and (now := self.bare.head(pull.head)):
            pull.frozen = now
        return pull.frozen

    def page(self, asked: Asked, items: list[Any]) -> tuple[list[Any], int, bool]:
        """The items of the page that is asked for, its number, and whether there is another."""
        size, number = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        return items[(number - 1) * size : number * size], number, number * size < len(items)

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            self.seen.append(f"{asked.method} {asked.path}")
            self.before(asked)
            if (bad := self.bad(asked)) is not None:
                return bad
            try:
                return self._answered(asked)
            except Refused as refused:
                return refused.reply

    def _answered(self, asked: Asked) -> Reply:
        path = asked.path.removeprefix(self.root)
        if not asked.path.startswith(self.root):
            return Reply(404, {"message": "Not Found"})
        for method, pattern, handle in self._routes:
            if method == asked.method and (match := pattern.fullmatch(path)):
                self.may(asked, path)
                return handle(asked, match)
        return Reply(404, {"message": "Not Found"})

    def may(self, asked: Asked, path: str) -> None:
        """Raises Refused where the account may not."""
        if asked.account is None:
            raise Refused(401, self.unknown)
        if asked.account.right == "none":
            raise Refused(404, {"message": "Not Found"})
        if asked.method != "GET" and asked.account.right == "read":
            raise Refused(403, self.forbidden)

    def caller(self, headers: dict[str, str]) -> Account | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self.accounts.get(token) if scheme == "Bearer" else None


def etag_of(body: Any) -> str:
    return f'W/"{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()}"'


class _Handler(BaseHTTPRequestHandler):
    forge: ForgeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes: the second would wait 40 ms for the client

    def log_message(self, *_: object) -> None:
        """Nothing: the test reads `seen`."""

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = json.loads(content) if content else None
        asked = Asked(self.command, parts.path, query, body, self.forge.caller(headers), headers)
        time.sleep(self.forge.slow)
        reply = self.forge.answer(asked)
        answer = b"" if reply.body is None else json.dumps(reply.body).encode()
        extra = dict(reply.headers)
        if self.command == "GET" and reply.status == 200:
            extra["ETag"] = etag_of(reply.body)
            if headers.get("if-none-match") == extra["ETag"]:
                self.forge.unchanged += 1
                reply, answer = Reply(304), b""
        try:
            self.send_response(reply.status)
            for name, value in {**extra, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            self.close_connection = True

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET


def plain(segment: str) -> str:
    return unquote(segment)
