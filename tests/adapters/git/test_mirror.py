"""Mirrors that are damaged, shared, interrupted and full; hosts that are silent, old or gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from adapters.git.http_host import HttpHost, children_of_this_process, processes_with
from adapters.git.upstream import Upstream

from reconciler.adapters.git import GitSource, bare
from reconciler.model.outcome import Reason, StageError, Transient
from reconciler.ports import Remote

FETCH = """
import sys
from pathlib import Path
from reconciler.adapters.git import GitSource, bare
from reconciler.ports import Remote
cache, url, commit = sys.argv[1:]
source = GitSource(Path(cache), allow_file=True)
remote = Remote(url, None, 60)
source.fetch(remote, commit, {})
print(source.tree(remote, commit).read("a", 1000).decode())
source.close()
"""


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
def source(cache: Path) -> Iterator[GitSource]:
    with contextlib.closing(GitSource(cache, allow_file=True)) as made:
        yield made


@pytest.fixture
def silent() -> Iterator[str]:
    """The origin of a host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def until(what: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def get(source: GitSource, remote: Remote, commit: str, path: str = "a") -> bytes:
    source.fetch(remote, commit, {})
    return source.tree(remote, commit).read(path, 1000)


def eventually(source: GitSource, remote: Remote, commit: str) -> bytes:
    """What two attempts give: the second is the retry that a Transient asks for."""
    try:
        return get(source, remote, commit)
    except Transient:
        return get(source, remote, commit)


def mirror_of(cache: Path) -> Path:
    (found,) = cache.glob("*.git")
    return found


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


def _empty_pack(mirror: Path) -> None:
    for pack in mirror.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"")


def _flip_pack(mirror: Path) -> None:
    for pack in mirror.glob("objects/pack/*.pack"):
        data = pack.read_bytes()
        pack.chmod(0o600)
        pack.write_bytes(data[:12] + bytes(255 - byte for byte in data[12:]))


def _no_objects(mirror: Path) -> None:
    shutil.rmtree(mirror / "objects")


def _no_head(mirror: Path) -> None:
    (mirror / "HEAD").unlink()


def _bad_config(mirror: Path) -> None:
    (mirror / "config").write_text("[core\n")


def _bad_shallow(mirror: Path) -> None:
    (mirror / "shallow").write_text("nonsense\n")


def _is_a_file(mirror: Path) -> None:
    shutil.rmtree(mirror)
    mirror.write_text("")


DAMAGES = [_empty_pack, _flip_pack, _no_objects, _no_head, _bad_config, _bad_shallow, _is_a_file]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("fresh", [False, True], ids=["same process", "after a restart"])
def test_a_damaged_mirror_heals_by_itself(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path, damage: Callable[[Path], None], fresh: bool
) -> None:
    first = upstream.commit({"a": b"1"})
    assert get(source, remote, first) == b"1"
    source.close()
    damage(mirror_of(cache))
    second = upstream.commit({"a": b"2"})
    with contextlib.closing(GitSource(cache, allow_file=True)) as later:
        if fresh:
            assert eventually(later, remote, second) == b"2"
            assert eventually(later, remote, first) == b"1"
        else:
            assert eventually(later, remote, first) == b"1"
            assert eventually(later, remote, second) == b"2"


def test_an_unknown_trouble_of_the_remote_does_not_cost_the_mirror(
    source: GitSource, http: HttpHost, upstream: Upstream
) -> None:
    remote = Remote(f"{http.origin}/app.git", None, 30)
    first = upstream.commit({"a": b"1"})
    assert get(source, remote, first) == b"1"
    second = upstream.commit({"a": b"2"})
    http.answer = lambda _: (418, {})
    with pytest.raises(Transient):
        source.fetch(remote, second, {})
    assert source.tree(remote, first).read("a", 10) == b"1"


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


def test_many_fetches_leave_few_packs_and_the_commits_in_use(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bare, "_PACKS", 4)
    monkeypatch.setattr(bare, "_COMMITS_KEPT", 3)
    commits = []
    for number in range(6):
        commits.append(upstream.commit({"a": f"{number}".encode(), "same": b"x"}))
        source.fetch(remote, commits[-1], {})
        source.fetch(remote, commits[0], {})
    mirror = mirror_of(cache)
    assert len(list(mirror.glob("objects/pack/*.pack"))) <= 4
    shutil.move(upstream.path, upstream.path.with_name("away"))
    for number in (0, 5):
        assert get(source, remote, commits[number]) == f"{number}".encode()
    done = subprocess.run(["git", "--git-dir", mirror, "cat-file", "-e", commits[1]], check=False, capture_output=True)
    assert done.returncode != 0, "what nobody uses is gone from the disk"
    with pytest.raises(StageError):
        source.fetch(remote, commits[1], {})
    shutil.move(upstream.path.with_name("away"), upstream.path)
    assert get(source, remote, commits[1]) == b"1"
    assert mirror_of(cache).stat().st_ino == mirror.stat().st_ino


def test_two_processes_and_many_threads_fetch_one_commit_once(
    source: GitSource, http: HttpHost, upstream: Upstream, cache: Path
) -> None:
    commit = upstream.commit({"a": b"1"})
    url = f"{http.origin}/app.git"
    others = [_start(cache, url, commit) for _ in range(2)]
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(get(source, Remote(url, None, 60), commit))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [b"1"] * 4
    for other in others:
        said, trouble = other.communicate(timeout=60)
        assert (other.returncode, said, trouble) == (0, b"1\n", b"")
    assert len(list(mirror_of(cache).glob("objects/pack/*.pack"))) == 1


def test_a_fetch_after_a_kill_in_the_middle_ends_the_orphan_and_succeeds(
    source: GitSource, http: HttpHost, upstream: Upstream, cache: Path
) -> None:
    commit = upstream.commit({"a": b"1"})
    url = f"{http.origin}/app.git"
    reached, release = threading.Event(), threading.Event()

    def hold(path: str) -> None:
        if path.endswith("/git-upload-pack") and not reached.is_set():
            reached.set()
            release.wait(60)

    http.watch = hold
    killed = _start(cache, url, commit)
    try:
        assert reached.wait(60)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate(timeout=30)
        mirror = str(mirror_of(cache) if list(cache.glob("*.git")) else cache)
        orphans = processes_with(mirror)[mirror]
        assert orphans, "git outlives the process that was killed"
        assert get(source, Remote(url, None, 60), commit) == b"1"
        until(lambda: not set(processes_with(mirror)[mirror]) & set(orphans))
    finally:
        release.set()


def test_locks_that_a_killed_git_left_do_not_stop_the_next(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path
) -> None:
    get(source, remote, upstream.commit({"a": b"1"}))
    mirror = mirror_of(cache)
    inode = mirror.stat().st_ino
    second = upstream.commit({"a": b"2"})
    left = [
        mirror / "shallow.lock",
        mirror / f"refs/dispatch/commits/{second}.lock",
        mirror / "objects/pack/tmp_pack_x",
    ]
    for file in left:
        file.write_text("")
    assert get(source, remote, second) == b"2"
    assert not any(file.exists() for file in left)
    assert mirror_of(cache).stat().st_ino == inode, "the mirror was not built anew"


def test_a_fetch_that_another_process_holds_up_is_tried_again(
    source: GitSource, upstream: Upstream, cache: Path
) -> None:
    import fcntl

    first = upstream.commit({"a": b"1"})
    remote = Remote(str(upstream.path), None, 0.3)
    get(source, remote._replace(timeout=30), first)
    (lock,) = cache.glob("*.lock")
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Transient, match="another fetch of this repository") as caught:
            source.fetch(remote, upstream.commit({"a": b"2"}), {})
        assert caught.value.reason == Reason.SOURCE_UNREACHABLE
        assert get(source, remote, first) == b"1", "reading needs no lock"


def test_a_stranger_with_the_number_of_a_dead_child_is_not_killed(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path
) -> None:
    get(source, remote, upstream.commit({"a": b"1"}))
    (lock,) = cache.glob("*.lock")
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as stranger:
        namespace = Path("/proc/self/ns/pid").readlink()
        lock.write_text(f"{stranger.pid} {namespace} 12345")
        get(source, remote, upstream.commit({"a": b"2"}))
        assert stranger.poll() is None
        stranger.kill()


def test_an_unusable_cache_folder_is_named(tmp_path: Path, remote: Remote, upstream: Upstream) -> None:
    (tmp_path / "file").write_text("")
    source = GitSource(tmp_path / "file" / "cache", allow_file=True)
    with pytest.raises(Transient, match=r"the Git cache cannot be used: .*file/cache") as caught:
        source.fetch(remote, upstream.commit({"a": b"1"}), {})
    assert caught.value.reason == Reason.INTERNAL


def test_without_git_the_way_out_is_named(tmp_path: Path, upstream: Upstream) -> None:
    script = FETCH.replace("source.fetch", "source.refs(remote)\nsource.fetch")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cache"), str(upstream.path), "0" * 40],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "git is not installed, or not on PATH" in done.stderr


def test_readers_are_few_however_many_repositories_are_read(source: GitSource, root: Path) -> None:
    before = children_of_this_process()
    for number in range(20):
        upstream = Upstream(root / f"{number}.git")
        assert get(source, Remote(str(upstream.path), None, 30), upstream.commit({"a": b"1"})) == b"1"
    assert len(children_of_this_process() - before) <= 16


def test_a_reader_that_died_is_started_again(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    before = children_of_this_process()
    commit = upstream.commit({"a": b"1"})
    assert get(source, remote, commit) == b"1"
    (reader,) = children_of_this_process() - before
    os.kill(reader, signal.SIGKILL)
    assert get(source, remote, commit) == b"1"
    (another,) = children_of_this_process() - before
    assert another != reader


def _start(cache: Path, url: str, commit: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(cache), url, commit], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
