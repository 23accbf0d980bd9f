"""Many processes on one cache, and those that are killed in the middle."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from adapters.git.http_host import HttpHost, processes_with
from adapters.git.reading import get, mirror_of, until
from adapters.git.upstream import Upstream

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Reason, Transient
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


def _start(cache: Path, url: str, commit: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(cache), url, commit], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


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
    assert http.fetches == 1


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
