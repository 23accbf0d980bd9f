"""Every forge that the port is held to: the real Gitea, and the servers that answer as GitHub and GitLab do."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from forges.github_server import GitHubServer
from forges.gitlab_server import GitLabServer
from forges.server import Bare
from forges.teams import Teams
from gitea_town import Person, Town

from reconciler.adapters.forge import Forges
from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Blocked, Reason, Transient
from reconciler.model.repository import RepositorySpec
from reconciler.ports import CommitStatuses, Forge, GitCredentials, PullRequest
from reconciler.sandbox.platform import Sandbox

TOKENS = {"bot": "bot-token-0123", "reviewer": "reviewer-token-0123", "reader": "reader-token-0123"}
_numbers = itertools.count()


class ForgeHost(Protocol):
    """A repository at a forge, with `bot` and `reviewer` who may write and `reader` who may not. `url` is its Git URL;
    `names` are the accounts of these roles. `stop` ends the forge, where it can be ended."""

    kind: str
    url: str
    names: dict[str, str]

    def token(self, who: str) -> str: ...

    def spec(self, url: str = "") -> RepositorySpec: ...

    def push(self, name: str, file: str = "") -> str:
        """A new commit upon the branch, or upon main where there is no such branch; the branch."""

    def head(self, branch: str) -> str | None: ...

    def message(self, commit: str) -> str: ...

    def protect(self) -> None:
        """From now on a merge into main needs an approval."""

    def review(self, number: int, verdict: str) -> None:
        """`reviewer` says approved or rejected."""

    def document(self, number: int) -> tuple[str, str, str]:
        """(title, text, account of the author) as the forge has them."""

    def comments(self, number: int) -> list[tuple[str, str]]:
        """(account, text), the oldest first."""

    def say(self, number: int, text: str) -> None:
        """`reviewer` comments."""

    def from_fork(self, branch: str) -> int:
        """`reader` asks to merge a branch of this name from a fork; the number."""

    def trace(self, number: int, commit: str) -> object:
        """Something that is another thing after each write to the pull request or the statuses of the commit."""

    def team(self, *roles: str) -> str:
        """The name of a new team of these, which `bot` may read where it is among them."""

    def leave(self, team: str, role: str) -> None:
        """One of these is not in the team any more."""


def forge_of(host: ForgeHost, who: str = "bot", token: str | None = None, url: str = "") -> Forge:
    made = Forges().forge(host.spec(url), GitCredentials(password=f"{host.token(who) if token is None else token}\n"))
    assert made is not None
    return made


def statuses_of(host: ForgeHost, who: str = "bot") -> CommitStatuses:
    made = Forges().statuses(host.spec(), GitCredentials(password=host.token(who)))
    assert made is not None
    return made


def branch_of(host: ForgeHost) -> str:
    """A branch that is one commit ahead of main."""
    return host.push(f"dispatch/revert/team-a/web/{next(_numbers)}")


def settled(call: Callable[[], Any]) -> Any:
    """What a call gives once the forge has looked at the pull request, which it does in the background."""
    for _ in range(80):
        try:
            return call()
        except Blocked as error:
            assert error.reason == Reason.MERGE_BLOCKED
            if error.wait != 10:
                raise
        except Transient as error:
            if error.retry_after != 10:
                raise
        time.sleep(0.1)
    raise AssertionError("the forge is still looking")


def looked(found: PullRequest) -> PullRequest:
    """Without what the forge finds out in its own time."""
    return found._replace(mergeable=None)


class _Server:
    """A server of ours with its repository."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.bare = Bare(folder / "config.git")
        self.bare.upstream.commit({"README.md": b"main\n"}, "main")
        self.server: GitHubServer | GitLabServer = (
            GitHubServer(self.bare) if kind == "github" else GitLabServer(self.bare)
        )
        path = "team/config" if kind == "github" else "team/web/config"
        self.url = f"{self.server.origin}/{path}.git"
        self.names = {role: f"{role}-account" for role in TOKENS}
        self.teams = Teams(self.server)
        for role, token in TOKENS.items():
            self.server.account(self.names[role], "read" if role == "reader" else "write", token)

    def token(self, who: str) -> str:
        return TOKENS[who]

    def spec(self, url: str = "") -> RepositorySpec:
        forge = {"kind": self.kind}
        given = {"url": url or self.url, "credentialsRef": {"name": "x"}, "forge": forge, "timeout": "20s"}
        return RepositorySpec.model_validate(given)

    def push(self, name: str, file: str = "") -> str:
        if self.bare.head(name) is None and name != "main":
            self.bare.upstream.git("update-ref", f"refs/heads/{name}", f"{self.bare.head('main')}")
        content = secrets.token_hex(4).encode()
        kept = {"README.md": content} if file else {"README.md": b"main\n", f"{name}/a": content}
        self.bare.upstream.commit(kept, name)
        return name

    def head(self, branch: str) -> str | None:
        return self.bare.head(branch)

    def message(self, commit: str) -> str:
        return self.bare.message(commit)

    def protect(self) -> None:
        self.server.approvals_needed = 1

    def review(self, number: int, verdict: str) -> None:
        who = self.server.accounts[TOKENS["reviewer"]]
        if isinstance(self.server, GitHubServer):
            self.server.review(number, who, {"approved": "APPROVED", "rejected": "CHANGES_REQUESTED"}[verdict])
        else:
            self.server.review(number, who, {"approved": "approved", "rejected": "requested_changes"}[verdict])

    def document(self, number: int) -> tuple[str, str, str]:
        pull = self.server.pulls[number]
        return pull.title, pull.body, pull.author.name

    def comments(self, number: int) -> list[tuple[str, str]]:
        found = self.server.pulls[number].comments
        return [((each.get("user") or each["author"])[self._login], each["body"]) for each in found]

    def say(self, number: int, text: str) -> None:
        self.server.say(self.server.pulls[number], self.server.accounts[TOKENS["reviewer"]], text)

    def from_fork(self, branch: str) -> int:
        who = self.server.accounts[TOKENS["reader"]]
        return self.server.add(branch, "main", "t", "b", who, fork=True, frozen="1" * 40).number

    def trace(self, number: int, commit: str) -> object:
        return list(self.server.writes)

    def team(self, *roles: str) -> str:
        name = f"acme/platform-{next(_numbers)}"
        self.teams.members[name] = [self.server.accounts[TOKENS[role]] for role in roles]
        if "bot" not in roles:
            self.teams.hidden.add(name)
        return name

    def leave(self, team: str, role: str) -> None:
        self.teams.members[team].remove(self.server.accounts[TOKENS[role]])

    def stop(self) -> None:
        self.server.stop()

    @property
    def _login(self) -> str:
        return "login" if self.kind == "github" else "username"


class GitHubHost(_Server):
    server: GitHubServer

    def __init__(self, folder: Path) -> None:
        super().__init__("github", folder)


class GitLabHost(_Server):
    server: GitLabServer

    def __init__(self, folder: Path) -> None:
        super().__init__("gitlab", folder)


class GiteaHost:
    """The sandbox's own Gitea."""

    kind = "gitea"

    def __init__(self, sandbox: Sandbox, source: GitSource) -> None:
        self.town, self._source = Town(sandbox), source
        self.url = self.town.git_url
        self._people: dict[str, Person] = {
            "bot": self.town.bot,
            "reviewer": self.town.reviewer,
            "reader": self.town.reader,
        }
        self.names = {role: person.name for role, person in self._people.items()}

    def token(self, who: str) -> str:
        return self._people[who].token

    def spec(self, url: str = "") -> RepositorySpec:
        forge = {"kind": "gitea"}
        given = {"url": url or self.url, "credentialsRef": {"name": "x"}, "forge": forge, "timeout": "20s"}
        return RepositorySpec.model_validate(given)

    def push(self, name: str, file: str = "") -> str:
        remote = self.town.remote(self.town.owner)
        refs = self._source.refs(remote)
        before = refs.get(f"refs/heads/{name}")
        parent = before or refs["refs/heads/main"]
        self._source.fetch(remote, parent, refs)
        content = secrets.token_hex(4).encode()
        commit = self._source.commit(remote, parent, {file or f"{name}/{content.decode()}": content}, "change")
        self._source.push(remote, commit, f"refs/heads/{name}", before)
        return name

    def head(self, branch: str) -> str | None:
        return self._source.refs(self.town.remote()).get(f"refs/heads/{branch}")

    def message(self, commit: str) -> str:
        return str(self.town.ask("GET", f"/git/commits/{commit}")["commit"]["message"]).strip()

    def protect(self) -> None:
        self.town.protect(required_approvals=1, dismiss_stale_approvals=True)

    def review(self, number: int, verdict: str) -> None:
        if verdict == "approved":
            self.town.approve(number)
        else:
            said = {"event": "REQUEST_CHANGES", "body": "no"}
            self.town.ask("POST", f"/pulls/{number}/reviews", said, self.town.reviewer)

    def document(self, number: int) -> tuple[str, str, str]:
        found = self.town.ask("GET", f"/pulls/{number}")
        return found["title"], found["body"], found["user"]["login"]

    def comments(self, number: int) -> list[tuple[str, str]]:
        return [(each["user"]["login"], each["body"]) for each in self.town.ask("GET", f"/issues/{number}/comments")]

    def say(self, number: int, text: str) -> None:
        self.town.ask("POST", f"/issues/{number}/comments", {"body": text}, self.town.reviewer)

    def from_fork(self, branch: str) -> int:
        fork = self.town.ask("POST", "/forks", {}, self.town.reader)["full_name"]
        change = {"content": "eA==", "message": "m", "branch": "main", "new_branch": branch}
        self.town.call("POST", f"/repos/{fork}/contents/b", change, self.town.reader)
        wanted = {"head": f"{self.town.reader.name}:{branch}", "base": "main", "title": "t"}
        return int(self.town.ask("POST", "/pulls", wanted, self.town.reader)["number"])

    def trace(self, number: int, commit: str) -> object:
        comments = [each["updated_at"] for each in self.town.ask("GET", f"/issues/{number}/comments")]
        statuses = [each["id"] for each in self.town.ask("GET", f"/commits/{commit}/statuses")]
        return self.town.ask("GET", f"/pulls/{number}")["updated_at"], comments, statuses

    def team(self, *roles: str) -> str:
        return self.town.team(*(self._people[role] for role in roles))

    def leave(self, team: str, role: str) -> None:
        self.town.leave(team, self._people[role])

    def stop(self) -> None:
        """Other tests go on with it."""
