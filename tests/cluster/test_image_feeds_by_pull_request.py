"""A feed that proposes: one pull request on a real Gitea, brought up to date, closed by a person, merged by one."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

import pytest
from feeding import Feeders, shop
from gitea_town import Town
from images import Store
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually, git

from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Sandbox


class Proposers(Feeders):
    """The repository is at Gitea; `bare` follows it."""

    town: Town

    def pulls(self) -> list[tuple[int, str, str]]:
        """(number, state, title), the newest first."""
        found = self.town.ask("GET", "/pulls?state=all")
        return [(each["number"], "merged" if each["merged"] else each["state"], each["title"]) for each in found]

    def write(self, path: str, text: str) -> None:
        """A new file of main, by a person at the forge."""
        content = {"content": b64encode(text.encode()).decode(), "message": f"write {path}", "branch": "main"}
        self.town.ask("POST", f"/contents/{path}", content)

    def merged(self, number: int) -> bool:
        """Merged by a person, who tries again while Gitea still looks at it."""
        with suppress(AssertionError):
            self.town.ask("POST", f"/pulls/{number}/merge", {"Do": "merge", "delete_branch_after_merge": True})
        return bool(self.town.ask("GET", f"/pulls/{number}")["merged"])

    def text(self, path: str, branch: str = "main") -> str:
        name = f"/contents/{path}?ref={branch}"
        return b64decode(self.town.ask("GET", name)["content"]).decode()


@pytest.fixture
def proposers(
    town: Sandbox, kube: KubeCluster, controller: None, gitea: Sandbox, registry: str, tmp_path: Path
) -> Proposers:
    """A team at Gitea. Its controller is the one of the session: a second one would open a second pull request, for
    Gitea does not refuse two that come at the same moment.
    """
    team = Proposers(kube, Somebody(town), fresh_namespace(town), tmp_path)
    team.store, team.town = Store(registry), Town(gitea)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "forge"}}
    team.apply({**secret, "data": {"password": b64encode(team.town.bot.token.encode()).decode()}})
    return team


def proposing(team: Proposers) -> None:
    team.store.push("1.0.0")
    team.write("shop/shop.yaml", shop(f"{team.store.name}:1.0.0"))
    team.read_repository(url=team.town.git_url, credentialsRef={"name": "forge"}, forge={"kind": "gitea"})
    team.feed(writes=[{"repository": "config", "path": "shop", "via": "PullRequest"}])


def test_one_pull_request_is_opened_brought_up_to_date_and_merged_by_a_person(proposers: Proposers) -> None:
    proposing(proposers)
    first = proposers.until_write("Open", "1.0.0")
    branch = f"dispatch/feed/{proposers.namespace}/shop"
    newer = proposers.store.push("1.1.0", revision="3d4e5f")
    proposers.until_write("Open", f"1.1.0@{newer}")
    ((number, state, _),) = proposers.pulls()
    assert (state, first["pullRequest"].endswith(f"/{number}")) == ("open", True)
    assert proposers.text("shop/shop.yaml", branch) == shop(f"{proposers.store.name}:1.1.0@{newer}")
    # A commit elsewhere on main does not touch the branch: a review of it stays good.
    tip = proposers.town.ask("GET", f"/branches/{branch}")["commit"]["id"]
    proposers.write("other.yaml", "a: 1\n")
    proposers.town.approve(number)
    proposers.store.push("0.1.0")
    eventually(lambda: proposers.until_write("Open"), 5)
    assert proposers.town.ask("GET", f"/branches/{branch}")["commit"]["id"] == tip
    assert ":1.0.0'" in proposers.text("shop/shop.yaml")
    eventually(lambda: proposers.merged(number))
    eventually(lambda: f":1.1.0@{newer}" in proposers.text("shop/shop.yaml"))
    proposers.until_write("Current", "1.1.0")
    newest = proposers.store.push("1.2.0")
    proposers.until_write("Open", f"1.2.0@{newest}")
    assert [state for _, state, _ in proposers.pulls()] == ["open", "merged"]


def test_a_pull_request_that_a_person_closed_is_not_opened_again_for_the_same_image(proposers: Proposers) -> None:
    proposing(proposers)
    proposers.until_write("Open", "1.0.0")
    ((number, _, _),) = proposers.pulls()
    proposers.town.ask("PATCH", f"/pulls/{number}", {"state": "closed"})
    entry = proposers.until_write("Closed", "1.0.0")
    assert "left alone until there is a newer one" in entry["message"]
    proposers.store.retag("1.0.0", "1.0.1")
    eventually(lambda: "1.0.1" in proposers.fed()["selected"]["tag"])
    assert [state for _, state, _ in proposers.pulls()] == ["closed"]
    newer = proposers.store.push("1.1.0")
    proposers.until_write("Open", f"1.1.0@{newer}")
    assert [state for _, state, _ in proposers.pulls()] == ["open", "closed"]


def test_a_branch_that_a_person_pushed_to_is_theirs(proposers: Proposers, tmp_path: Path) -> None:
    proposing(proposers)
    proposers.until_write("Open", "1.0.0")
    branch = f"dispatch/feed/{proposers.namespace}/shop"
    clone = tmp_path / "clone"
    person = proposers.town.reviewer
    url = proposers.town.git_url.replace("://", f"://{person.name}:{person.token}@")
    git("clone", "--quiet", "--branch", branch, url, str(clone), at=tmp_path)
    (clone / "shop" / "more.yaml").write_text("a: 1\n")
    git("add", "--all", at=clone)
    git("commit", "--quiet", "--message", "more", at=clone)
    git("push", "--quiet", "origin", f"HEAD:{branch}", at=clone)
    proposers.store.push("1.1.0")
    eventually(lambda: "commits of somebody else" in proposers.until_write("Open")["message"])
    assert proposers.text("shop/more.yaml", branch) == "a: 1\n"
