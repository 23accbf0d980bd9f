"""Hooks at a forge of each kind, for tests: as they are there, spoilt by hand, and delivered."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol

import urllib3
from forges.hosts import ForgeHost, GiteaHost, GitHubHost, GitLabHost, _Server
from forges.server import Asked, ForgeServer, Refused, Reply
from forges.signing import signed

ADMIN = "admin-token-0123"


class Hook(NamedTuple):
    """One hook as its forge shows it: `events` are in the forge's own words."""

    id: int
    url: str
    active: bool
    json: bool
    events: frozenset[str]


class HookPage(Protocol):
    """The hooks of a host. `token` is of somebody who may administrate them."""

    token: str

    def all(self) -> list[Hook]: ...

    def foreign(self, url: str) -> int:
        """Somebody else's hook; its id."""

    def spoil(self, id: int, how: str) -> None:
        """Somebody turns it off (`off`), takes its events away (`events`), or deletes it (`gone`)."""

    def happen(self) -> None:
        """Something is pushed, and all hooks are told."""


class Taken(NamedTuple):
    """One delivery."""

    path: str
    headers: dict[str, str]
    body: bytes


@contextmanager
def listener() -> Iterator[tuple[str, list[Taken]]]:
    """An address on loopback that takes every delivery."""
    taken: list[Taken] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            taken.append(Taken(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    server.server_close()
    thread.join()


class _Page:
    """Hooks of a server of ours: `kept` are its documents, with the secrets that it tells nobody."""

    def __init__(self, server: ForgeServer, path: str, change: str) -> None:
        self.server = server
        self.token = ADMIN
        self.kept: dict[int, dict[str, Any]] = {}
        server.account("admin-account", "admin", ADMIN)
        for method, pattern, handle in (
            ("GET", rf"{path}/hooks", self._list),
            ("POST", rf"{path}/hooks", self._make),
            (change, rf"{path}/hooks/(\d+)", self._change),
            ("DELETE", rf"{path}/hooks/(\d+)", self._delete),
        ):
            server.route(method, pattern, handle)

    def _list(self, asked: Asked, match: re.Match[str]) -> Reply:
        self.may(asked)
        some, number, more = self.server.page(asked, [self.shown(each) for each in self.kept.values()])
        link = {"Link": f'<{self.server.origin}{asked.path}?page={number + 1}>; rel="next"'} if more else {}
        return Reply(200, some, link)

    def _make(self, asked: Asked, match: re.Match[str]) -> Reply:
        self.may(asked)
        return Reply(201, self.shown(self.made(asked.body)))

    def _change(self, asked: Asked, match: re.Match[str]) -> Reply:
        self.may(asked)
        hook = self.kept.get(int(match[1]))
        if hook is None:
            raise Refused(404, {"message": "Not Found"})
        self.changed(hook, asked.body)
        return Reply(200, self.shown(hook))

    def _delete(self, asked: Asked, match: re.Match[str]) -> Reply:
        self.may(asked)
        if self.kept.pop(int(match[1]), None) is None:
            raise Refused(404, {"message": "Not Found"})
        return Reply(204)

    def may(self, asked: Asked) -> None:
        """Raises Refused for who does not administrate."""
        assert asked.account is not None
        if asked.account.right != "admin":
            raise Refused(403, self.server.forbidden)

    def made(self, body: dict[str, Any]) -> dict[str, Any]:
        id = self.server.next_id()
        hook = self.kept[id] = {"id": id, **body}
        return hook

    def changed(self, hook: dict[str, Any], body: dict[str, Any]) -> None:
        hook.update(body)

    def shown(self, hook: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def sent(self, url: str, headers: dict[str, str], body: bytes) -> None:
        urllib3.request("POST", url, body=body, headers=headers, retries=False, timeout=5)


class GitHubHooks(_Page):
    """GitHub, "REST API endpoints for repository webhooks"."""

    def __init__(self, server: ForgeServer) -> None:
        super().__init__(server, r"/repos/team/config", "PATCH")

    def made(self, body: dict[str, Any]) -> dict[str, Any]:
        if any(each["config"]["url"] == body["config"]["url"] for each in self.kept.values()):
            error = {"resource": "Hook", "code": "custom", "message": "Hook already exists on this repository"}
            raise Refused(422, {"message": "Validation Failed", "errors": [error]})
        return super().made(body)

    def shown(self, hook: dict[str, Any]) -> dict[str, Any]:
        config = {**hook["config"], **({"secret": "********"} if hook["config"].get("secret") else {})}
        return {**hook, "type": "Repository", "config": config}

    def all(self) -> list[Hook]:
        return [
            Hook(
                each["id"],
                each["config"]["url"],
                each["active"],
                each["config"]["content_type"] == "json",
                frozenset(each["events"]),
            )
            for each in self.kept.values()
        ]

    def foreign(self, url: str) -> int:
        config = {"url": url, "content_type": "form"}
        return int(self.made({"name": "web", "config": config, "events": ["push"], "active": True})["id"])

    def spoil(self, id: int, how: str) -> None:
        if how == "gone":
            del self.kept[id]
        else:
            spoilt: dict[str, dict[str, Any]] = {"off": {"active": False}, "events": {"events": ["issues"]}}
            self.kept[id].update(spoilt[how])

    def happen(self) -> None:
        body = json.dumps({"ref": "refs/heads/main", "after": secrets.token_hex(20)}).encode()
        for each in list(self.kept.values()):
            if each["active"]:
                headers = signed("github", each["config"].get("secret", ""), body)
                self.sent(each["config"]["url"], headers, body)


class GitLabHooks(_Page):
    """GitLab, "Project webhooks API"."""

    def __init__(self, server: ForgeServer) -> None:
        super().__init__(server, r"/projects/team%2Fweb%2Fconfig", "PUT")

    def changed(self, hook: dict[str, Any], body: dict[str, Any]) -> None:
        if body["url"] != hook["url"]:
            hook.pop("token", None)
        hook.update(body)

    def shown(self, hook: dict[str, Any]) -> dict[str, Any]:
        told = {name: value for name, value in hook.items() if name != "token"}
        return {"alert_status": "executable", "push_events_branch_filter": None, **told}

    def all(self) -> list[Hook]:
        return [
            Hook(
                each["id"],
                each["url"],
                each.get("alert_status") != "disabled",
                True,
                frozenset(name for name, value in each.items() if name.endswith("_events") and value is True),
            )
            for each in self.kept.values()
        ]

    def foreign(self, url: str) -> int:
        return int(self.made({"url": url, "push_events": True, "enable_ssl_verification": True})["id"])

    def spoil(self, id: int, how: str) -> None:
        if how == "gone":
            del self.kept[id]
        else:
            spoilt: dict[str, dict[str, Any]] = {"off": {"alert_status": "disabled"}, "events": {"push_events": False}}
            self.kept[id].update(spoilt[how])

    def happen(self) -> None:
        body = json.dumps({"object_kind": "push", "after": secrets.token_hex(20)}).encode()
        for each in list(self.kept.values()):
            if each.get("alert_status") != "disabled" and each["push_events"]:
                self.sent(each["url"], signed("gitlab", each.get("token", ""), body), body)


class GiteaHooks:
    """The real one."""

    def __init__(self, host: GiteaHost) -> None:
        self._host = host
        self.token = host.town.owner.token

    def all(self) -> list[Hook]:
        return [
            Hook(
                each["id"],
                each["config"]["url"],
                each["active"],
                each["config"]["content_type"] == "json",
                frozenset(each["events"]),
            )
            for number in (1, 2)
            for each in self._host.town.ask("GET", f"/hooks?limit=50&page={number}")
        ]

    def foreign(self, url: str) -> int:
        config = {"url": url, "content_type": "form"}
        made = self._host.town.ask("POST", "/hooks", {"type": "gitea", "config": config, "active": True})
        return int(made["id"])

    def spoil(self, id: int, how: str) -> None:
        if how == "gone":
            self._host.town.ask("DELETE", f"/hooks/{id}")
            return
        spoilt: dict[str, dict[str, Any]] = {"off": {"active": False}, "events": {"events": ["issues_only"]}}
        before = next(each for each in self._host.town.ask("GET", "/hooks") if each["id"] == id)
        self._host.town.ask("PATCH", f"/hooks/{id}", {"events": before["events"], **spoilt[how]})

    def happen(self) -> None:
        self._host.push("main")


def hooks_of(host: ForgeHost) -> HookPage:
    """The hooks page of a host; once for each."""
    if isinstance(host, GiteaHost):
        return GiteaHooks(host)
    assert isinstance(host, _Server)
    return GitHubHooks(host.server) if isinstance(host, GitHubHost) else _of_gitlab(host)


def _of_gitlab(host: Any) -> HookPage:
    assert isinstance(host, GitLabHost)
    return GitLabHooks(host.server)
