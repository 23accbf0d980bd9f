"""Reading the files of a commit: what is found, what is refused, and that nothing is written outside a folder."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from adapters.git.upstream import File, Files, Upstream

from reconciler.adapters.git import GitSource
from reconciler.adapters.git.listing import Listing
from reconciler.adapters.git.objects import Objects
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.ports import Remote, Tree

SUBMODULE = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def tree_of(source: GitSource, upstream: Upstream) -> Callable[[Files], Tree]:
    remote = Remote(str(upstream.path), None, 60)

    def make(files: Files) -> Tree:
        commit = upstream.commit(files)
        source.fetch(remote, commit, {})
        return source.tree(remote, commit)

    return make


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


APPS: Files = {
    "apps/web/a.yaml": b"a",
    "apps/web/base/b.yaml": b"bb",
    "apps/web.yaml": b"c",
    "apps/web-2/d.yaml": b"d",
    "README": b"r",
}


def test_ids_are_those_of_git_for_files_folders_and_the_root(
    tree_of: Callable[[Files], Tree], upstream: Upstream
) -> None:
    tree = tree_of(APPS)
    for path in ("apps/web/a.yaml", "apps/web/base", "apps/web", "apps", "README"):
        assert tree.oid(path) == upstream.git("rev-parse", f"main:{path}")
    assert tree.oid("") == upstream.git("rev-parse", "main^{tree}")
    assert tree.oid("apps/web/") == tree.oid("./apps/web") == tree.oid("apps/web")


@pytest.mark.parametrize("path", ["app", "apps/we", "apps/web/a.yaml/x", "../x", "/apps", "apps//web", ".git"])
def test_where_nothing_is_there_is_no_id_and_no_file(tree_of: Callable[[Files], Tree], path: str) -> None:
    tree = tree_of(APPS)
    assert tree.oid(path) is None
    assert list(tree.files(path)) == []


def test_files_of_a_folder_are_those_below_it_and_not_its_namesakes(tree_of: Callable[[Files], Tree]) -> None:
    tree = tree_of(APPS)
    assert [entry.path for entry in tree.files("apps/web")] == ["apps/web/a.yaml", "apps/web/base/b.yaml"]
    assert [entry.path for entry in tree.files("apps/web.yaml")] == ["apps/web.yaml"]
    assert [(entry.path, entry.size) for entry in tree.files()] == sorted((p, len(c)) for p, c in APPS.items())


def test_a_commit_with_no_files_is_a_tree(tree_of: Callable[[Files], Tree]) -> None:
    tree = tree_of({})
    assert list(tree.files()) == []
    assert tree.oid("") == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_reading_what_is_no_file_says_what_it_is(tree_of: Callable[[Files], Tree]) -> None:
    tree = tree_of({**APPS, "sub": File.submodule(SUBMODULE)})
    for path, what in (("apps", "is a folder"), ("nothing", "is not there"), ("sub", "is a folder")):
        with pytest.raises(Terminal, match=f"{path} {what}.* in commit {tree.commit[:10]}") as caught:
            tree.read(path, 100)
        assert caught.value.reason == Reason.PATH_NOT_FOUND


def test_a_file_over_the_limit_is_refused_without_reading_it(
    tree_of: Callable[[Files], Tree], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 1024 * 1024
    tree = tree_of({"big": bytes(size), "small": b"12345"})
    assert tree.read("small", 5) == b"12345"

    def never(*_: object) -> bytes:
        raise AssertionError("the object was read")

    monkeypatch.setattr(Objects, "each", never)
    with pytest.raises(Terminal, match=f"big has {size} bytes, which is over the limit of 1000") as caught:
        tree.read("big", 1000)
    assert caught.value.reason == Reason.RENDER_LIMIT


def test_a_pointer_of_large_file_storage_stays_as_it_is(tree_of: Callable[[Files], Tree], into: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    tree = tree_of({"a.bin": pointer, ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    tree.export(["a.bin"], into)
    assert tree.read("a.bin", 1000) == (into / "a.bin").read_bytes() == pointer


def test_export_writes_exactly_the_named_files_with_their_modes(tree_of: Callable[[Files], Tree], into: Path) -> None:
    tree = tree_of({**APPS, "bin/run": File.program(b"#!/bin/sh\n"), "empty": b"", "binary": bytes(range(256)) * 999})
    before = os.umask(0o077)
    try:
        tree.export(["apps/web/base/b.yaml", "bin/run", "empty", "binary"], into)
    finally:
        os.umask(before)
    written = {str(file.relative_to(into)): file for file in into.rglob("*") if file.is_file()}
    assert {path: file.read_bytes() for path, file in written.items()} == {
        "apps/web/base/b.yaml": b"bb",
        "bin/run": b"#!/bin/sh\n",
        "empty": b"",
        "binary": bytes(range(256)) * 999,
    }
    modes = {path: stat.S_IMODE(file.stat().st_mode) for path, file in written.items()}
    assert modes == {"apps/web/base/b.yaml": 0o644, "bin/run": 0o755, "empty": 0o644, "binary": 0o644}


def test_export_is_not_changed_by_attributes_of_the_commit(tree_of: Callable[[Files], Tree], into: Path) -> None:
    tree = tree_of(
        {".gitattributes": b"* export-subst eol=crlf\nb export-ignore\n", "a": b"$Format:%H$\n", "b": b"b\n"}
    )
    tree.export(["a", "b"], into)
    assert ((into / "a").read_bytes(), (into / "b").read_bytes()) == (b"$Format:%H$\n", b"b\n")


def test_more_files_than_one_request_holds_are_exported(tree_of: Callable[[Files], Tree], into: Path) -> None:
    files = {f"d{number % 7}/f{number}": f"{number}".encode() * number for number in range(1200)}
    tree = tree_of(files)
    tree.export(files, into)
    assert {str(f.relative_to(into)): f.read_bytes() for f in into.rglob("*") if f.is_file()} == files


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        (
            {"l": File.link(b"../../etc/passwd")},
            "l",
            "l is a symbolic link to '../../etc/passwd'; links are not followed",
        ),
        ({"l": File.link(b"a"), "a": b""}, "l", "l is a symbolic link to 'a'"),
        ({"s": File.submodule(SUBMODULE)}, "s", f"s is a Git submodule at {SUBMODULE}; submodules are not read"),
    ],
    ids=["link out", "link within", "submodule"],
)
def test_links_and_submodules_are_refused_and_nothing_is_written(
    tree_of: Callable[[Files], Tree], into: Path, files: Files, path: str, message: str
) -> None:
    tree = tree_of({"0-first": b"1", **files})
    with pytest.raises(Terminal) as caught:
        tree.export(["0-first", path], into)
    assert caught.value.message.startswith(message)
    assert caught.value.reason == Reason.RENDER_FAILED
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("path", ["nothing", "apps"])
def test_exporting_what_is_no_file_is_refused(tree_of: Callable[[Files], Tree], into: Path, path: str) -> None:
    with pytest.raises(Terminal) as caught:
        tree_of(APPS).export([path], into)
    assert caught.value.reason == Reason.PATH_NOT_FOUND


@pytest.mark.parametrize("name", [b"../out", b"a/../../out", b".git/config", b".GIT/hooks/x", b"a/.git/x"])
def test_a_tree_with_names_that_lead_elsewhere_does_not_get_in(
    upstream: Upstream, source: GitSource, into: Path, name: bytes
) -> None:
    commit = _hostile(upstream, name)
    remote = Remote(str(upstream.path), None, 60)
    with pytest.raises(StageError, match="git fsck"):
        source.fetch(remote, commit, {})
    assert not (into.parent / "out").exists()


@pytest.mark.parametrize("name", [b"../out", b"a/../../out", b".git/config", b"/out", b"a//b", b"./a"])
def test_a_listing_with_names_that_lead_elsewhere_is_not_exported(
    tree_of: Callable[[Files], Tree], into: Path, name: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tree_of({"a": b"1"})
    record = b"100644 blob %s 1\t%s\0" % ((tree.oid("a") or "").encode(), name)
    monkeypatch.setattr(tree, "_listing", Listing(tree.oid("") or "", record))
    with pytest.raises(Terminal):
        tree.export([name.decode()], into)
    assert list(into.iterdir()) == []
    assert not (into.parent / "out").exists()


def test_a_link_that_somebody_put_into_the_folder_is_not_followed(
    tree_of: Callable[[Files], Tree], into: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "f").write_text("kept")
    (into / "apps").symlink_to(elsewhere)
    (into / "README").symlink_to(elsewhere / "f")
    tree = tree_of({"apps/f": b"taken", "README": b"taken"})
    for path in ("apps/f", "README"):
        with pytest.raises(Terminal):
            tree.export([path], into)
    assert [file.name for file in elsewhere.iterdir()] == ["f"]
    assert (elsewhere / "f").read_text() == "kept"


def test_a_full_or_unwritable_disk_is_tried_again(tree_of: Callable[[Files], Tree]) -> None:
    with pytest.raises(Transient, match="cannot write 'a'") as caught:
        tree_of({"a": b"1" * 100_000}).export(["a"], Path("/proc"))
    assert caught.value.reason == Reason.INTERNAL


def test_many_threads_read_different_files_through_one_reader(tree_of: Callable[[Files], Tree]) -> None:
    files = {f"f{number}": os.urandom(number * 50) for number in range(60)}
    tree = tree_of(files)
    wrong: list[str] = []

    def read(paths: list[str]) -> None:
        wrong.extend(path for path in paths if tree.read(path, 10_000) != files[path])

    threads = [threading.Thread(target=read, args=(list(files)[start::3] * 3,)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


@pytest.mark.parametrize(
    ("message", "author", "subject"),
    [
        ("Raise the limit\n\nBecause.", "Ada Lovelace <a@b>", "Ada Lovelace: Raise the limit"),
        ("\n\n  first line \nsecond", "Ada <a@b>", "Ada: first line"),
        ("", "Ada <a@b>", "Ada:"),
        ("\x1b[31mred\x07 alert", "Ada <a@b>", "Ada: [31mred alert"),
        ("x" * 300, "Ada <a@b>", "Ada: " + "x" * 114 + "…"),
        (b"gr\xc3\xbc\xc3\x9fe \xff", "Ada <a@b>", "Ada: grüße �"),
    ],
)
def test_the_subject_is_one_short_line_for_people(
    source: GitSource, upstream: Upstream, message: str | bytes, author: str, subject: str
) -> None:
    commit = upstream.commit({"a": b"1"}, message=message, author=author)
    remote = Remote(str(upstream.path), None, 60)
    source.fetch(remote, commit, {})
    assert source.subject(remote, commit) == subject
    assert len(subject) <= 120


def _hostile(upstream: Upstream, name: bytes) -> str:
    """A commit whose root tree has one entry of this name, which no git command would make."""
    blob = upstream.git("hash-object", "-w", "--stdin", stdin=b"x")
    tree = b"100644 %s\0%s" % (name, bytes.fromhex(blob))
    root = upstream.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=tree)
    for part in reversed(name.split(b"/")[:-1]):
        leaf = b"40000 %s\0%s" % (part, bytes.fromhex(root))
        root = upstream.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=leaf)
    commit = upstream.git("-c", "user.name=T", "-c", "user.email=t@e", "commit-tree", "-m", "x", root)
    upstream.git("update-ref", "refs/heads/main", commit)
    return commit
