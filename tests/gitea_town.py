"""A repository on the sandbox's Gitea, with people of different rights, for tests."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64encode
from typing import Any, NamedTuple

import urllib3

from reconciler.ports import GitCredentials, Remote
from reconciler.sandbox.platform import Sandbox


class Person(NamedTuple):
    """One account. `token` may do what its scopes and its rights allow."""

    name: str
    password: str
    token: str


class Town:
    """A repository `owner/name` of its own. `bot` may write to it, `reviewer` too, `reader` may only read it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = sandbox.gitea.url
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        mark = secrets.token_hex(4)
        self.owner, self.bot, self.reviewer, self.reader = (
            self._person(f"{role}-{mark}") for role in ("owner", "bot", "reviewer", "reader")
        )
        self.name = f"config-{mark}"
        self._teams: dict[str, int] = {}
        self.call("POST", "/user/repos", {"name": self.name, "auto_init": True, "private": True}, self.owner)
        for person, right in ((self.bot, "write"), (self.reviewer, "write"), (self.reader, "read")):
            self.ask("PUT", f"/collaborators/{person.name}", {"permission": right})

    @property
    def git_url(self) -> str:
        return f"{self.url}/{self.owner.name}/{self.name}.git"

    def remote(self, person: Person | None = None) -> Remote:
        return Remote(self.git_url, GitCredentials(password=(person or self.bot).token), 60)

    def ask(self, method: str, path: str, body: Any = None, person: Person | None = None) -> Any:
        """The API of the repository, as its owner or another person."""
        return self.call(method, f"/repos/{self.owner.name}/{self.name}{path}", body, person or self.owner)

    def protect(self, branch: str = "main", **rules: Any) -> None:
        rules = {"enable_push": False, **rules}
        self.ask("POST", "/branch_protections", {"rule_name": branch, "branch_name": branch, **rules})

    def approve(self, number: int, person: Person | None = None) -> None:
        self.ask("POST", f"/pulls/{number}/reviews", {"event": "APPROVED", "body": "good"}, person or self.reviewer)

    def merge(self, number: int, person: Person | None = None, how: str = "squash") -> None:
        """As the page does it, which shows its button once Gitea has looked whether the branch can be merged.

        :raises AssertionError: Gitea does not merge it
        """
        deadline = time.monotonic() + 30
        while True:
            try:
                self.ask("POST", f"/pulls/{number}/merge", {"Do": how}, person)
                return
            except AssertionError as refused:
                if "Please try again later" not in str(refused) or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def team(self, *people: Person) -> str:
        """A new team `organization/name` of a new organization, with these in it and nobody else."""
        organization = f"acme-{secrets.token_hex(4)}"
        self.call("POST", "/orgs", {"username": organization, "visibility": "private"})
        wanted = {"name": "platform", "permission": "read", "units": ["repo.code"]}
        made = self.call("POST", f"/orgs/{organization}/teams", wanted)
        team = f"{organization}/{made['name']}"
        self._teams[team] = made["id"]
        for person in people:
            self.join(team, person)
        return team

    def join(self, team: str, person: Person) -> None:
        self.call("PUT", f"/teams/{self._teams[team]}/members/{person.name}", None)

    def leave(self, team: str, person: Person) -> None:
        self.call("DELETE", f"/teams/{self._teams[team]}/members/{person.name}", None)

    def call(self, method: str, path: str, body: Any, person: Person | None = None) -> Any:
        token = person.token if person else self.sandbox.gitea.token
        return self._send(method, path, body, f"token {token}")

    def call_with_password(self, method: str, path: str, body: Any, person: Person) -> Any:
        """What somebody does with their own account, to which no token is needed."""
        return self._send(method, path, body, _basic(person.name, person.password))

    def _person(self, name: str) -> Person:
        password = secrets.token_urlsafe(18)
        given = {"username": name, "email": f"{name}@sandbox.invalid", "password": password}
        self.call("POST", "/admin/users", {**given, "must_change_password": False})
        # What an owner needs to make a repository, nobody else does.
        scopes = ["write:repository", "write:issue"]
        if name.startswith("bot"):
            scopes.append("read:organization")
        if name.startswith(("owner", "reader")):
            scopes.append("write:user")
        made = self._send("POST", f"/users/{name}/tokens", {"name": "test", "scopes": scopes}, _basic(name, password))
        return Person(name, password, made["sha1"])

    def _send(self, method: str, path: str, body: Any, authorization: str) -> Any:
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        answer = self._http.request(method, f"{self.url}/api/v1{path}", body=content, headers=headers)
        assert 200 <= answer.status < 300, (method, path, answer.status, answer.data)
        return json.loads(answer.data) if answer.data else None


def _basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()
