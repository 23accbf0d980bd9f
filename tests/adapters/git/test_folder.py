"""A plain folder read as a tree gives what Git gives for the same files."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.git.upstream import File, Upstream
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.git import FolderTree, GitSource
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import Remote, Tree

CONTENT = st.binary(max_size=60)
NAME = st.text("abc.-0 é/", min_size=1, max_size=6)
MODE = st.sampled_from(["100644", "100755", "120000"])


def _usable(name: str) -> bool:
    return all(part not in ("", ".", "..") and not part.startswith(".git") for part in name.split("/"))


def _apart(names: list[str]) -> bool:
    """No name is the folder of another."""
    return not any(other.startswith(f"{name}/") for name in names for other in names)


FILES = st.dictionaries(NAME.filter(_usable), st.tuples(CONTENT, MODE), max_size=7).filter(lambda f: _apart(list(f)))


@contextlib.contextmanager
def both(files: dict[str, tuple[bytes, str]]) -> Iterator[tuple[Tree, Tree]]:
    """The same files as a commit and as a folder."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        upstream = Upstream(base / "app.git")
        commit = upstream.commit({path: File(content or b"x", mode) for path, (content, mode) in files.items()})
        root = base / "folder"
        root.mkdir()
        for path, (content, mode) in files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if mode == "120000":
                os.symlink(content or b"x", os.fsencode(place))  # noqa: PTH211 - pathlib changes the target
            else:
                place.write_bytes(content or b"x")
                place.chmod(int(mode, 8) & 0o777)
        with contextlib.closing(GitSource(base / "cache", allow_file=True)) as source:
            remote = Remote(str(upstream.path), None, 60)
            source.fetch(remote, commit, {})
            yield source.tree(remote, commit), FolderTree(root)


def _without_zero(files: dict[str, tuple[bytes, str]]) -> dict[str, tuple[bytes, str]]:
    """A link cannot lead to a name with a zero byte."""
    return {path: (content.replace(b"\0", b"0"), mode) for path, (content, mode) in files.items()}


@settings(max_examples=25)
@given(FILES.map(_without_zero))
def test_the_same_files_have_the_same_entries_and_ids_as_in_git(files: dict[str, tuple[bytes, str]]) -> None:
    with both(files) as (git, folder):
        assert list(folder.files()) == list(git.files())
        parents = {path.rpartition("/")[0] for path in files}
        for path in {"", *files, *parents}:
            assert folder.oid(path) == git.oid(path)
            assert list(folder.files(path)) == list(git.files(path))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    for path, text in {"app/a.yaml": "a", "app/base/b.yaml": "bb", "app.yaml": "c", "README": "r"}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def test_it_has_no_commit_and_reads_and_exports_its_files(root: Path, into: Path) -> None:
    tree = FolderTree(root)
    assert tree.commit == ""
    assert tree.read("app/a.yaml", 10) == b"a"
    tree.export(["app/base/b.yaml", "README"], into)
    assert sorted(str(file.relative_to(into)) for file in into.rglob("*") if file.is_file()) == [
        "README",
        "app/base/b.yaml",
    ]


def test_git_itself_pipes_and_sockets_are_left_out(root: Path) -> None:
    before = FolderTree(root).oid("")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("x")
    (root / "app" / ".git").write_text("gitdir: elsewhere")
    (root / "empty").mkdir()
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "socket"))
        tree = FolderTree(root)
        assert tree.oid("") == before
        assert tree.oid(".git") is tree.oid(".git/config") is tree.oid("pipe") is tree.oid("socket") is None
        assert tree.oid("empty") is None


def test_only_the_folder_that_is_asked_for_is_read(root: Path) -> None:
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in ("open", "os.scandir") and str(arguments[0]).startswith(str(root)):
            opened.append(str(Path(str(arguments[0])).relative_to(root)))

    sys.addaudithook(watch)
    tree = FolderTree(root)
    assert tree.oid("app/base") is not None
    assert opened == ["app/base", "app/base/b.yaml"]
    tree.files("app")
    watching = False
    assert sorted(opened) == ["app", "app/a.yaml", "app/base", "app/base/b.yaml"]


@pytest.mark.parametrize("path", ["../root/README", "/etc/passwd", "app/../README", "app//a.yaml", "none", "README/x"])
def test_a_path_that_leads_elsewhere_is_nothing(root: Path, path: str) -> None:
    tree = FolderTree(root)
    assert tree.oid(path) is None
    assert list(tree.files(path)) == []
    with pytest.raises(Terminal, match="is not there") as caught:
        tree.read(path, 100)
    assert caught.value.reason == Reason.PATH_NOT_FOUND


def test_a_link_is_an_entry_and_never_a_way(root: Path, into: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (root / "way").symlink_to(tmp_path / "outside")
    tree = FolderTree(root)
    assert tree.oid("way/secret") is None
    (entry,) = tree.files("way")
    assert (entry.path, entry.mode) == ("way", 0o120000)
    with pytest.raises(Terminal, match=r"way is a symbolic link to '.*/outside'") as caught:
        tree.export(["README", "way"], into)
    assert caught.value.reason == Reason.RENDER_FAILED
    assert list(into.iterdir()) == []


def test_a_file_over_the_limit_is_refused(root: Path) -> None:
    with (root / "big").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(Terminal, match="big has 104857600 bytes") as caught:
        FolderTree(root).read("big", 1000)
    assert caught.value.reason == Reason.RENDER_LIMIT


def test_a_file_that_changes_under_a_render_is_noticed(root: Path, into: Path) -> None:
    tree = FolderTree(root)
    assert tree.oid("app") is not None
    (root / "app" / "a.yaml").write_text("changed")
    for call in (lambda: tree.read("app/a.yaml", 100), lambda: tree.export(["app/a.yaml"], into)):
        with pytest.raises(Transient, match=r"app/a\.yaml changed while it was read"):
            call()
    assert FolderTree(root).read("app/a.yaml", 100) == b"changed"


@pytest.mark.parametrize("missing", ["nothing", "README"])
def test_a_root_that_is_no_folder_has_nothing(root: Path, missing: str) -> None:
    tree = FolderTree(root / missing)
    assert tree.oid("") is None
    assert list(tree.files()) == []
