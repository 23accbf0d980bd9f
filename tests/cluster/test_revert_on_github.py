"""The way back by pull request at a forge of another kind: git and a server that answers as GitHub does, both opened by
one GitHub App.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters.git.http_host import HttpHost
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from forges.github_server import GitHubServer
from forges.server import Bare
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually
from walking import Metric, Walkers

from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Sandbox

# The first token that the server gives to the App.
TOKEN = f"ghs_{0:036d}"


class OnGitHub(Walkers):
    """A team whose repository is served to who has the App's token, by git over HTTP and by the API."""

    def __init__(self, cluster: KubeCluster, somebody: Somebody, namespace: str, folder: Path) -> None:
        super().__init__(cluster, somebody, namespace, folder)
        (folder / "served" / "team").mkdir(parents=True)
        (folder / "served" / "team" / "config.git").symlink_to(self.bare)
        self.key = rsa.generate_private_key(65537, 2048)
        self.git_host = HttpHost(folder / "served", login=("x-access-token", TOKEN))
        self.server = GitHubServer(Bare(self.bare))
        self.server.app = ("12", "345", self.key.public_key())

    @property
    def url(self) -> str:
        return f"{self.git_host.origin}/team/config.git"

    def read_repository(self, name: str = "config", **spec: Any) -> None:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        app = {"githubAppID": b"12", "githubAppInstallationID": b"345", "githubAppPrivateKey": pem}
        data = {field: base64.b64encode(value).decode() for field, value in app.items()}
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "config-app"}, "data": data})
        forge = {"kind": "github", "apiUrl": self.server.api}
        super().read_repository(name, credentialsRef={"name": "config-app"}, forge=forge, **spec)

    def stop(self) -> None:
        self.git_host.stop()
        self.server.stop()


@pytest.fixture
def hosted(harbour: Sandbox, harbour_cluster: KubeCluster, walking: Walking, tmp_path: Path) -> Iterator[OnGitHub]:
    made = OnGitHub(harbour_cluster, Somebody(harbour), fresh_namespace(harbour), tmp_path)
    yield made
    made.stop()


def test_a_github_app_reads_writes_and_merges_the_way_back(hosted: OnGitHub, page: Metric) -> None:
    strategy = {"canary": {"steps": [{"weight": 50}, page.analysis()], "onFailure": "Revert"}}
    hosted.start(strategy)
    page.value = 0.9
    second = hosted.release("2-bad")
    eventually(lambda: "shop:1" in hosted.head("shop/deployment.yaml"), 90, lambda: hosted.status("shop"))
    (request,) = hosted.server.pulls.values()
    eventually(lambda: request.state == "merged")
    assert (request.state, request.author.name) == ("merged", "dispatch[bot]")
    assert f"Dispatch-Reverts: {second}" in request.body
    # The branch is tidied away, which comes after the merge.
    eventually(lambda: hosted.server.bare.head(request.head) is None)
    hosted.until_stable("shop:1")
    assert hosted.status("shop")["revert"]["pullRequest"].endswith(f"/team/config/pull/{request.number}")
    assert len(hosted.server.issued) == 1, "git and the API share the token, and keep it"
