"""What is left of a commit and of a push when we are killed in the middle, and when the disk is taken away."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.git.http_host import HttpHost, processes_with
from adapters.git.reading import mirror_of, until
from adapters.git.upstream import Upstream
from traces import trace_of

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import GitCredentials, Remote

WRITE = """
import os, signal, sys
from pathlib import Path
from reconciler.adapters.git import GitSource
from reconciler.ports import GitCredentials, Remote
cache, url, parent, until, password = sys.argv[1:]
source = GitSource(Path(cache), allow_file=True)
remote = Remote(url, GitCredentials("ada", password), 60)
source.fetch(remote, parent, {})
commit = source.commit(remote, parent, {"b": b"2"}, "message")
print(commit, flush=True)
if until == "commit":
    os.kill(os.getpid(), signal.SIGKILL)
source.push(remote, commit, "refs/heads/main", parent)
"""


PASSWORD = f"p ss/{secrets.token_hex(16)}"


@pytest.fixture
def http(root: Path) -> Iterator[HttpHost]:
    host = HttpHost(root, login=("ada", PASSWORD))
    yield host
    host.stop()


@pytest.fixture
def remote(http: HttpHost, upstream: Upstream) -> Remote:
    return Remote(f"{http.origin}/app.git", GitCredentials("ada", PASSWORD), 60)


def _start(cache: Path, url: str, parent: str, until: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITE, str(cache), url, parent, until, PASSWORD]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_kill_between_the_commit_and_the_push_makes_no_second_commit(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path
) -> None:
    parent = upstream.commit({"a": b"1"})
    killed = _start(cache, remote.url, parent, "commit")
    said, _ = killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    source.fetch(remote, parent, {})
    commit = source.commit(remote, parent, {"b": b"2"}, "message")
    assert commit == said.decode().strip()
    source.push(remote, commit, "refs/heads/main", parent)
    assert upstream.git("rev-list", "refs/heads/main").split() == [commit, parent]


def test_a_kill_in_the_middle_of_a_push_is_mended_by_the_next(
    source: GitSource, http: HttpHost, remote: Remote, upstream: Upstream, cache: Path
) -> None:
    parent = upstream.commit({"a": b"1"})
    reached, release = threading.Event(), threading.Event()

    def hold(path: str) -> None:
        if path.endswith("/git-receive-pack") and not reached.is_set():
            reached.set()
            release.wait(60)

    http.watch = hold
    killed = _start(cache, remote.url, parent, "push")
    try:
        assert reached.wait(60)
        os.kill(killed.pid, signal.SIGKILL)
        said, _ = killed.communicate(timeout=30)
        mirror = str(mirror_of(cache))
        orphans = processes_with(mirror)[mirror]
        assert orphans, "git outlives the process that was killed"
        source.fetch(remote, parent, {})
        commit = source.commit(remote, parent, {"b": b"2"}, "message")
        assert commit == said.decode().strip()
        until(lambda: not set(processes_with(mirror)[mirror]) & set(orphans))
        source.push(remote, commit, "refs/heads/main", parent)
    finally:
        release.set()
    assert upstream.git("rev-parse", "refs/heads/main") == commit


def test_a_push_whose_answer_was_lost_is_done_at_the_second_try(
    source: GitSource, http: HttpHost, remote: Remote, upstream: Upstream
) -> None:
    parent = upstream.commit({"a": b"1"})
    source.fetch(remote, parent, {})
    commit = source.commit(remote, parent, {"b": b"2"}, "message")
    lost: list[str] = []

    def lose(path: str) -> tuple[int, dict[str, str]] | None:
        if not path.endswith("/git-receive-pack") or lost:
            return None
        # The server has done it, the client does not hear of it.
        lost.append(upstream.git("rev-parse", "refs/heads/main"))
        _carry(source, upstream, commit)
        return 502, {}

    http.answer = lose
    with pytest.raises(Transient) as caught:
        source.push(remote, commit, "refs/heads/main", parent)
    assert caught.value.reason == Reason.SOURCE_UNREACHABLE
    source.push(remote, commit, "refs/heads/main", parent)
    assert lost == [parent]
    assert upstream.git("rev-parse", "refs/heads/main") == commit


def _carry(source: GitSource, upstream: Upstream, commit: str) -> None:
    """What the push does, by another way."""
    (mirror,) = source._cache.glob("*.git")
    upstream.git("fetch", "-q", str(mirror), f"refs/dispatch/commits/{commit}:refs/heads/main")


def test_a_mirror_that_was_deleted_before_the_push_gives_the_same_commit_again(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path
) -> None:
    parent = upstream.commit({"a": b"1"})
    source.fetch(remote, parent, {})
    commit = source.commit(remote, parent, {"b": b"2"}, "message")
    shutil.rmtree(cache)
    with pytest.raises(Transient, match="It is fetched again"):
        source.push(remote, commit, "refs/heads/main", parent)
    source.fetch(remote, parent, {})
    assert source.commit(remote, parent, {"b": b"2"}, "message") == commit
    source.push(remote, commit, "refs/heads/main", parent)
    assert upstream.git("rev-parse", "refs/heads/main") == commit


def test_half_of_a_commit_is_none(source: GitSource, remote: Remote, upstream: Upstream, cache: Path) -> None:
    """What a killed fast-import leaves does not stop the next, and is swept away."""
    parent = upstream.commit({"a": b"1"})
    source.fetch(remote, parent, {})
    mirror = mirror_of(cache)
    stream = f"commit refs/dispatch/written\ncommitter A <a@b> 0 +0000\ndata 1\nx\nfrom {parent}\nM 100644 inline b\n"
    done = subprocess.run(
        ["git", "fast-import", "--quiet", "--done"], cwd=mirror, input=stream.encode(), capture_output=True, check=False
    )
    assert done.returncode and list(mirror.glob("fast_import_crash_*"))
    (mirror / "refs/dispatch/written.lock").write_text("")
    commit = source.commit(remote, parent, {"b": b"2"}, "message")
    source.push(remote, commit, "refs/heads/main", parent)
    assert not list(mirror.glob("fast_import_crash_*"))
    assert not (mirror / "refs/dispatch/written").exists()


def test_a_file_of_a_commit_that_is_not_here_is_fetched_again(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    parent = upstream.commit({"a": b"1"})
    source.fetch(remote, parent, {})
    with pytest.raises(Transient, match="It is fetched again") as caught:
        source.commit(remote, parent, {"b": (0o100644, "1" * 40)}, "message")
    assert caught.value.reason == Reason.SOURCE_UNREACHABLE
    source.fetch(remote, parent, {})
    assert source.commit(remote, parent, {}, "message")


def test_who_may_not_write_is_told_so_without_the_password(
    source: GitSource, http: HttpHost, remote: Remote, upstream: Upstream
) -> None:
    parent = upstream.commit({"a": b"1"})
    source.fetch(remote, parent, {})
    commit = source.commit(remote, parent, {"b": b"2"}, "message")
    wrong = f"wrong-{secrets.token_hex(16)}"
    upstream.git("config", "http.receivepack", "false")
    for credentials in (GitCredentials("ada", wrong), remote.credentials, None):
        with pytest.raises(Terminal, match=r"cannot write to .* be allowed to write to this repository") as caught:
            source.push(remote._replace(credentials=credentials), commit, "refs/heads/main", parent)
        assert caught.value.reason == Reason.SOURCE_DENIED
        assert wrong not in trace_of(caught.value)
    assert upstream.git("rev-parse", "refs/heads/main") == parent


def test_a_password_is_in_no_argument_and_no_environment_of_a_push(
    source: GitSource, http: HttpHost, remote: Remote, upstream: Upstream
) -> None:
    parent = upstream.commit({"a": b"1"})
    source.fetch(remote, parent, {})
    seen: list[dict[str, list[str]]] = []
    middle = PASSWORD[5:]
    http.watch = lambda _: seen.append(processes_with(middle, "receive-pack", "remote-http"))
    source.push(remote, source.commit(remote, parent, {}, "m"), "refs/heads/main", parent)
    assert seen and all(snapshot["remote-http"] for snapshot in seen), "the snapshots were taken while git ran"
    assert [snapshot[middle] for snapshot in seen] == [[] for _ in seen]


def test_a_repository_of_long_commit_ids_is_written_to(source: GitSource, root: Path) -> None:
    upstream = Upstream(root / "long.git", object_format="sha256")
    parent = upstream.commit({"a": b"1"})
    remote = Remote(str(upstream.path), None, 30)
    source.fetch(remote, parent, {})
    commit = source.commit(remote, parent, {"b": b"2"}, "m")
    source.push(remote, commit, "refs/heads/main", parent)
    ledger = source.commit(remote, None, {}, "first")
    source.push(remote, ledger, "refs/dispatch/state/a", None)
    assert upstream.git("rev-parse", "refs/heads/main", "refs/dispatch/state/a") == f"{commit}\n{ledger}"


def test_many_commits_leave_few_packs(source: GitSource, remote: Remote, upstream: Upstream, cache: Path) -> None:
    last = upstream.commit({"a": b"1"})
    source.fetch(remote, last, {})
    for number in range(60):
        last = source.commit(remote, last, {"b": f"{number}".encode()}, "m")
    source.push(remote, last, "refs/heads/main", upstream.git("rev-parse", "refs/heads/main"))
    source.fetch(remote, upstream.commit({"a": b"2"}), {})
    assert len(list((mirror_of(cache) / "objects/pack").glob("*.pack"))) < 5
    assert source.tree(remote, last).read("b", 10) == b"59"
