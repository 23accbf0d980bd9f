"""Mirrors that are damaged or grow, and the processes that read them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from adapters.git.http_host import HttpHost, children_of_this_process
from adapters.git.reading import eventually, get, mirror_of
from adapters.git.upstream import Upstream

from reconciler.adapters.git import GitSource, bare
from reconciler.model.outcome import StageError, Transient
from reconciler.ports import Remote


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
    inode = mirror.stat().st_ino
    assert len(list(mirror.glob("objects/pack/*.pack"))) <= 4
    assert len((mirror / "shallow").read_text().split()) <= 4
    shutil.move(upstream.path, upstream.path.with_name("away"))
    for number in (0, 5):
        assert get(source, remote, commits[number]) == f"{number}".encode()
    done = subprocess.run(["git", "--git-dir", mirror, "cat-file", "-e", commits[1]], check=False, capture_output=True)
    assert done.returncode != 0, "what nobody uses is gone from the disk"
    with pytest.raises(StageError):
        source.fetch(remote, commits[1], {})
    shutil.move(upstream.path.with_name("away"), upstream.path)
    assert get(source, remote, commits[1]) == b"1"
    assert mirror_of(cache).stat().st_ino == inode, "the mirror was not built anew"


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


def test_a_mirror_that_was_built_anew_is_read_and_not_the_old_one(
    source: GitSource, remote: Remote, upstream: Upstream, cache: Path
) -> None:
    first = upstream.commit({"a": b"1"})
    assert get(source, remote, first) == b"1"
    shutil.rmtree(mirror_of(cache))
    source.fetch(remote, first, {})
    assert get(source, remote, upstream.commit({"a": b"2"})) == b"2"
