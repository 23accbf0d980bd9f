"""A version is promoted at the other forges, in their time: git, and servers that answer as GitHub and GitLab do."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from adapters.git.http_host import HttpHost
from forges.github_server import GitHubServer
from forges.gitlab_server import GitLabServer
from forges.server import Bare
from promoting import Environments
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import Team, eventually
from walking import Walkers

from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Sandbox

TOKEN = "bot-token-0123"
_PATHS = {"github": "team/config", "gitlab": "team/web/config"}


class Elsewhere(Environments):
    """Two environments in a repository at a forge of this kind."""

    def __init__(self, cluster: KubeCluster, somebody: Somebody, namespace: str, folder: Path, kind: str) -> None:
        Walkers.__init__(self, cluster, somebody, namespace, folder)
        self.kind, self.owners_url = kind, str(self.bare)
        served = folder / "served" / f"{_PATHS[kind]}.git"
        served.parent.mkdir(parents=True)
        served.symlink_to(self.bare)
        self.git_host = HttpHost(folder / "served", login=("bot", TOKEN))
        bare = Bare(self.bare)
        self.server: GitHubServer | GitLabServer = GitHubServer(bare) if kind == "github" else GitLabServer(bare)
        self.server.account("bot", "write", TOKEN)
        self.ada = self.server.account("ada", "write", "ada-token-0123")

    @property
    def url(self) -> str:
        return f"{self.git_host.origin}/{_PATHS[self.kind]}.git"

    def push(self, files: Mapping[str, str | None], message: str = "change", force: bool = False) -> str:
        return Team.push(self, files, message, force)

    def read_repository(self, name: str = "config", **spec: Any) -> None:
        data = {
            key: base64.b64encode(value).decode() for key, value in (("username", b"bot"), ("password", TOKEN.encode()))
        }
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "config-git"}, "data": data})
        forge = {"kind": self.kind, "apiUrl": self.server.api}
        Team.read_repository(self, name, credentialsRef={"name": "config-git"}, forge=forge, **spec)

    def approve(self, number: int) -> None:
        self.server.review(number, self.ada, "APPROVED" if self.kind == "github" else "approved")

    def merges(self) -> int:
        return sum(each.endswith("/merge") for each in self.server.writes)

    def stop(self) -> None:
        self.git_host.stop()
        self.server.stop()


@pytest.fixture(params=["github", "gitlab"])
def elsewhere(
    harbour: Sandbox, harbour_cluster: KubeCluster, walking: Walking, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Elsewhere]:
    made = Elsewhere(harbour_cluster, Somebody(harbour), fresh_namespace(harbour), tmp_path, request.param)
    yield made
    made.stop()


def test_a_forge_that_takes_its_time_is_waited_for_and_merges_once(elsewhere: Elsewhere) -> None:
    elsewhere.start(gates=[{"approvals": {"count": 1, "from": ["ada"]}}])
    elsewhere.stage("shop:2")
    number = elsewhere.until("Open")["number"]
    assert elsewhere.merges() == 0
    if isinstance(elsewhere.server, GitLabServer):
        elsewhere.server.behind_pipeline = True
        elsewhere.approve(number)
        elsewhere.look()
        eventually(lambda: "when its pipeline lets it" in elsewhere.looked_at()["message"], 60, elsewhere.state)
        assert elsewhere.server.pulls[number].state == "open"
        assert elsewhere.runs("production") == "shop:1"
        elsewhere.server.behind_pipeline = False
    else:
        # GitHub works out whether it can merge, and says null meanwhile.
        elsewhere.server.pulls[number].looks = 2
        elsewhere.approve(number)
    eventually(lambda: elsewhere.looked_at() and elsewhere.runs("production") == "shop:2", 60, elsewhere.state)
    (pull,) = elsewhere.server.pulls.values()
    assert pull.state == "merged"
    assert "hunter2" not in pull.body
