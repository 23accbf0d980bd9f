"""Hosts that are silent, in trouble, old or gone, and a machine without git."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.git.http_host import HttpHost, children_of_this_process, processes_with
from adapters.git.reading import get, mirror_of, until
from adapters.git.upstream import Upstream

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Reason, Transient
from reconciler.ports import Remote


@pytest.fixture
def silent() -> Iterator[str]:
    """The origin of a host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_closed_port_is_tried_again_and_named(source: GitSource) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Transient, match=f"cannot read http://localhost:{port}/a.git: .*onnect") as caught:
        source.refs(Remote(f"http://localhost:{port}/a.git", None, 30))
    assert caught.value.reason == Reason.SOURCE_UNREACHABLE


def test_a_host_without_an_address_is_tried_again(source: GitSource) -> None:
    with pytest.raises(Transient) as caught:
        source.refs(Remote("https://no-such-host.invalid/a.git", None, 30))
    assert caught.value.reason == Reason.SOURCE_UNREACHABLE


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_host_in_trouble_is_tried_again(source: GitSource, http: HttpHost, status: int) -> None:
    http.answer = lambda _: (status, {})
    with pytest.raises(Transient, match=f"returned error: {status}"):
        source.refs(Remote(f"{http.origin}/app.git", None, 30))


def test_a_host_that_never_answers_is_given_up_and_leaves_no_process(
    source: GitSource, silent: str, upstream: Upstream
) -> None:
    before = children_of_this_process()
    commit = upstream.commit({"a": b"1"})
    remote = Remote(f"{silent}/app.git", None, 1)
    for call in (lambda: source.refs(remote), lambda: source.fetch(remote, commit, {})):
        with pytest.raises(Transient, match=r"within 1 s|too slow|timed out") as caught:
            call()
        assert caught.value.reason == Reason.SOURCE_UNREACHABLE
    assert children_of_this_process() == before
    until(lambda: not processes_with(silent)[silent])


def test_closing_ends_a_fetch_that_waits(source: GitSource, silent: str) -> None:
    raised: list[Transient] = []

    def ask() -> None:
        try:
            source.refs(Remote(f"{silent}/app.git", None, 300))
        except Transient as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: processes_with(silent)[silent])
    source.close()
    thread.join(30)
    assert [error.reason for error in raised] == [Reason.INTERNAL]
    until(lambda: not processes_with(silent)[silent])


def test_an_older_server_is_read_through_all_branches(source: GitSource, http: HttpHost, upstream: Upstream) -> None:
    http.protocol_2 = False
    old = upstream.commit({"a": b"old"})
    new = upstream.commit({"a": b"new"})
    remote = Remote(f"{http.origin}/app.git", None, 30)
    assert get(source, remote, new) == b"new"
    assert get(source, remote, old) == b"old"


def test_one_commit_and_not_the_history_is_fetched(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path
) -> None:
    commits = [upstream.commit({"a": f"{number}".encode()}) for number in range(5)]
    assert get(source, remote, commits[-1]) == b"4"
    done = subprocess.run(
        ["git", "--git-dir", mirror_of(cache), "rev-list", "--all"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [commits[-1]]


def test_a_sha256_repository_is_read(source: GitSource, root: Path) -> None:
    upstream = Upstream(root / "new.git", object_format="sha256")
    commit = upstream.commit({"a": b"1", "b/c": b"2"})
    assert len(commit) == 64
    remote = Remote(str(upstream.path), None, 30)
    assert source.refs(remote)["HEAD"] == commit
    assert get(source, remote, commit, "b/c") == b"2"
    assert source.tree(remote, commit).oid("b") == upstream.git("rev-parse", f"{commit}:b")


def test_an_unusable_cache_folder_is_named(tmp_path: Path, remote: Remote, upstream: Upstream) -> None:
    (tmp_path / "file").write_text("")
    source = GitSource(tmp_path / "file" / "cache", allow_file=True)
    with pytest.raises(Transient, match=r"the Git cache cannot be used: .*file/cache") as caught:
        source.fetch(remote, upstream.commit({"a": b"1"}), {})
    assert caught.value.reason == Reason.INTERNAL


def test_a_machine_without_descriptors_is_an_outcome(tmp_path: Path, upstream: Upstream) -> None:
    script = """
import os, resource, sys
from pathlib import Path
from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Transient
from reconciler.ports import GitCredentials, Remote
source = GitSource(Path(sys.argv[1]), allow_file=True)
source.refs(Remote(sys.argv[2], None, 30))
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
held = []
try:
    while True:
        held.append(os.dup(0))
except OSError:
    pass
for free in range(9):
    for url, given in ((sys.argv[2], None), ("http://127.0.0.1:1/a", GitCredentials(password="x"))):
        try:
            source.refs(Remote(url, given, 30))
        except Transient as error:
            print(error.reason, error.message)
    os.close(held.pop())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cache"), str(upstream.path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "InternalError git cannot be run: Too many open files." in done.stdout
    assert "InternalError credentials cannot be given to git: Too many open files." in done.stdout
