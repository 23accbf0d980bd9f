"""The port `Source`, read: held on every kind of remote."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from adapters.git.http_host import children_of_this_process
from adapters.git.upstream import File, Upstream
from contract.git_hosts import Host

from reconciler.adapters.git import GitSource
from reconciler.core.refs import resolve
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import Remote

NOWHERE = "0123456789abcdef0123456789abcdef01234567"


def read(source: GitSource, remote: Remote, revision: str, path: str) -> bytes:
    refs = source.refs(remote)
    commit = resolve(revision, refs, remote.url).commit
    source.fetch(remote, commit, refs)
    return source.tree(remote, commit).read(path, 1000)


def test_refs_are_branches_and_tags_with_their_commits_and_head(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    first = upstream.commit({"a": b"1"})
    upstream.git("tag", "light", first)
    upstream.git("-c", "user.name=T", "-c", "user.email=t@e", "tag", "-a", "-m", "annotated", "v1.0", first)
    second = upstream.commit({"a": b"2"}, branch="feature/x")
    assert upstream.git("rev-parse", "v1.0") != first
    assert source.refs(remote) == {
        "HEAD": first,
        "refs/heads/main": first,
        "refs/heads/feature/x": second,
        "refs/tags/light": first,
        "refs/tags/v1.0": first,
    }


def test_head_may_be_another_branch_than_main(source: GitSource, host: Host) -> None:
    upstream = Upstream(host.root / "trunk.git", branch="trunk")
    upstream.commit({"a": b"main"})
    trunk = upstream.commit({"a": b"trunk"}, branch="trunk")
    assert source.refs(host.remote("trunk.git"))["HEAD"] == trunk


def test_an_empty_repository_has_no_refs_and_a_missing_branch_says_so(source: GitSource, remote: Remote) -> None:
    refs = source.refs(remote)
    assert refs == {}
    with pytest.raises(Terminal, match="'main': it has no branch and no tag") as caught:
        resolve("main", refs, remote.url)
    assert caught.value.reason == Reason.REF_NOT_FOUND


@pytest.mark.parametrize("revision", ["main", "refs/heads/main", "light", "v1.0", "refs/tags/v1.0", "HEAD"])
def test_branches_and_both_kinds_of_tag_can_be_read(
    source: GitSource, remote: Remote, upstream: Upstream, revision: str
) -> None:
    commit = upstream.commit({"app/a.yaml": b"kind: A\n"})
    upstream.git("tag", "light", commit)
    upstream.git("-c", "user.name=T", "-c", "user.email=t@e", "tag", "-a", "-m", "annotated", "v1.0", commit)
    assert read(source, remote, revision, "app/a.yaml") == b"kind: A\n"


def test_an_older_commit_can_be_read_by_its_id(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    old = upstream.commit({"a": b"old"})
    upstream.commit({"a": b"new"})
    assert read(source, remote, "main", "a") == b"new"
    assert read(source, remote, old, "a") == b"old"


def test_a_moved_branch_is_read_at_its_new_commit(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    for number in range(4):
        upstream.commit({"a": f"{number}".encode(), "same": b"x"})
        assert read(source, remote, "main", "a") == f"{number}".encode()


def test_a_force_pushed_branch_is_read_at_its_new_history(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    before = upstream.commit({"a": b"before"})
    assert read(source, remote, "main", "a") == b"before"
    after = upstream.commit({"a": b"after"}, parent=False)
    assert read(source, remote, "main", "a") == b"after"
    assert source.tree(remote, before).read("a", 10) == b"before"
    assert source.tree(remote, after).oid("a") == upstream.git("rev-parse", f"{after}:a")


def test_a_fetched_commit_needs_no_network(source: GitSource, remote: Remote, upstream: Upstream, host: Host) -> None:
    commit = upstream.commit({"a": b"1"}, message="first")
    refs = source.refs(remote)
    source.fetch(remote, commit, refs)
    host.stop()
    source.fetch(remote, commit, refs)
    assert source.tree(remote, commit).read("a", 10) == b"1"
    assert source.subject(remote, commit) == "Ada: first"


def test_an_unreachable_host_is_tried_again(source: GitSource, remote: Remote, upstream: Upstream, host: Host) -> None:
    commit = upstream.commit({"a": b"1"})
    refs = source.refs(remote)
    host.stop()
    expected = Terminal if remote.url.startswith("file:") else Transient
    for call in (lambda: source.refs(remote), lambda: source.fetch(remote, commit, refs)):
        with pytest.raises(expected) as caught:
            call()
        assert "app.git" in caught.value.message
        if expected is Transient:
            assert caught.value.reason == Reason.SOURCE_UNREACHABLE


def test_a_missing_commit_is_said_to_be_missing(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"})
    with pytest.raises(Terminal, match=f"app.git has no commit {NOWHERE}: no branch or tag leads to it") as caught:
        source.fetch(remote, NOWHERE, source.refs(remote))
    assert caught.value.reason == Reason.REF_NOT_FOUND
    assert read(source, remote, "main", "a") == b"1"


def test_a_commit_that_moved_away_while_it_was_read_is_tried_again(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    upstream.commit({"a": b"1"})
    with pytest.raises(Transient, match=r"main moved away from 0123456789.* while it was read"):
        source.fetch(remote, NOWHERE, {"refs/heads/main": NOWHERE})


def test_a_missing_branch_names_the_nearest(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"}, branch="staging")
    with pytest.raises(Terminal, match=r"'stagin': did you mean staging\?") as caught:
        resolve("stagin", source.refs(remote), remote.url)
    assert caught.value.reason == Reason.REF_NOT_FOUND


@pytest.mark.parametrize(
    "commit", ["", "main", "abcdef0", "A" * 40, "--upload-pack=touch x", "0" * 41, "0" * 40 + "\n"]
)
def test_what_is_no_commit_id_does_not_reach_git(source: GitSource, remote: Remote, commit: str) -> None:
    with pytest.raises(Terminal, match="is not a commit id") as caught:
        source.fetch(remote, commit, {})
    assert caught.value.reason == Reason.REF_NOT_FOUND


def test_a_missing_repository_is_said_to_be_missing(source: GitSource, host: Host) -> None:
    with pytest.raises(Terminal, match=r"cannot read \S+/nothing.git: .*Check the URL") as caught:
        source.refs(host.remote("nothing.git"))
    assert caught.value.reason == Reason.REPOSITORY_NOT_FOUND


def test_a_tag_of_something_else_than_a_commit_is_refused(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    commit = upstream.commit({"a": b"1"})
    upstream.git("tag", "blob", f"{commit}:a")
    refs = source.refs(remote)
    source.fetch(remote, refs["refs/tags/blob"], refs)
    with pytest.raises(Terminal, match="but not a commit"):
        source.tree(remote, refs["refs/tags/blob"])


def test_names_with_any_character_are_read_and_exported(
    source: GitSource, remote: Remote, upstream: Upstream, tmp_path: Path
) -> None:
    names = [
        b"with space",
        "ünïcode-\U0001f680".encode(),
        b"new\nline",
        b'quo"te\\',
        b"tab\t",
        b"-dash",
        b"bad-\xff-utf8",
    ]
    files = {(b"dir " + name + b"/" + name).decode("utf-8", "surrogateescape"): name for name in names}
    commit = upstream.commit(files)
    source.fetch(remote, commit, source.refs(remote))
    tree = source.tree(remote, commit)
    paths = [entry.path for entry in tree.files()]
    assert paths == sorted(paths)
    assert set(paths) == set(files)
    into = tmp_path / "out"
    into.mkdir()
    tree.export(paths, into)
    for path in paths:
        name = path.rpartition("/")[2].encode("utf-8", "surrogateescape")
        assert tree.read(path, 100) == name
        assert (into / path).read_bytes() == name


def test_a_deleted_mirror_is_built_anew(source: GitSource, remote: Remote, upstream: Upstream, tmp_path: Path) -> None:
    commit = upstream.commit({"a": b"1"})
    assert read(source, remote, "main", "a") == b"1"
    shutil.rmtree(tmp_path / "cache")
    other = GitSource(tmp_path / "cache", allow_file=True)
    with contextlib.closing(other), pytest.raises(Transient, match="It is fetched again"):
        other.tree(remote, commit)
    assert read(source, remote, "main", "a") == b"1"
    upstream.commit({"a": b"2"})
    assert read(source, remote, "main", "a") == b"2"


def test_programs_links_and_submodules_keep_their_modes(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    commit = upstream.commit(
        {"run": File.program(b"#!"), "link": File.link(b"run"), "sub": File.submodule(NOWHERE), "plain": b""}
    )
    source.fetch(remote, commit, source.refs(remote))
    modes = {entry.path: entry.mode for entry in source.tree(remote, commit).files()}
    assert modes == {"run": 0o100755, "link": 0o120000, "sub": 0o160000, "plain": 0o100644}


def test_closing_ends_every_child(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"})
    before = children_of_this_process()
    read(source, remote, "main", "a")
    assert children_of_this_process() - before
    source.close()
    assert children_of_this_process() - before == set()
