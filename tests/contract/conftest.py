"""A repository on a Git host of each kind, a source with an empty cache; and a repository at a forge of each kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.git.upstream import Upstream
from contract.git_hosts import HOSTS, Host
from forges.hosts import ForgeHost, GiteaHost, GitHubHost, GitLabHost

from reconciler.adapters.git import GitSource
from reconciler.ports import Remote


@pytest.fixture(params=list(HOSTS.values()), ids=list(HOSTS))
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    root = tmp_path / "upstream"
    root.mkdir()
    made: Host = request.param(root)
    stopped: list[bool] = []

    def stop() -> None:
        if not stopped:
            stopped.append(True)
            made.stop()

    yield made._replace(stop=stop)
    stop()


@pytest.fixture
def upstream(host: Host) -> Upstream:
    return Upstream(host.root / "app.git")


@pytest.fixture
def remote(host: Host, upstream: Upstream) -> Remote:
    return host.remote("app.git")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[GitSource]:
    with contextlib.closing(GitSource(tmp_path / "cache", allow_file=True)) as made:
        yield made


@pytest.fixture(params=["github", "gitlab", pytest.param("gitea", marks=pytest.mark.sandbox)])
def forge_host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForgeHost]:
    if request.param == "gitea":
        sandbox = request.getfixturevalue("gitea")
        with contextlib.closing(GitSource(tmp_path / "cache", allow_file=False)) as source:
            yield GiteaHost(sandbox, source)
        return
    made = GitHubHost(tmp_path) if request.param == "github" else GitLabHost(tmp_path)
    yield made
    made.stop()
