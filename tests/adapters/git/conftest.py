"""A remote repository, hosts that serve it, and a source with an empty cache."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.git.http_host import HttpHost
from adapters.git.ssh_host import SshHost
from adapters.git.upstream import Upstream

from reconciler.adapters.git import GitSource
from reconciler.ports import Remote


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "upstream"
    folder.mkdir()
    return folder


@pytest.fixture
def upstream(root: Path) -> Upstream:
    return Upstream(root / "app.git")


@pytest.fixture
def remote(upstream: Upstream) -> Remote:
    return Remote(str(upstream.path), None, 30)


@pytest.fixture
def http(root: Path) -> Iterator[HttpHost]:
    host = HttpHost(root)
    yield host
    host.stop()


@pytest.fixture
def ssh(root: Path) -> Iterator[SshHost]:
    host = SshHost(root)
    yield host
    host.stop()


@pytest.fixture
def source(cache: Path) -> Iterator[GitSource]:
    with contextlib.closing(GitSource(cache, allow_file=True)) as made:
        yield made
