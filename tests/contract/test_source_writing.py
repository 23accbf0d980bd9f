"""The port `Source`, written to: held on every kind of remote."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from adapters.git.upstream import File, Upstream
from contract.git_hosts import Host

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import Remote

NOWHERE = "0123456789abcdef0123456789abcdef01234567"


LEDGER = "refs/dispatch/state/main/team-a/web"


def take(source: GitSource, remote: Remote, ref: str = "refs/heads/main") -> str:
    """The commit of a ref, fetched; what a commit is built on."""
    refs = source.refs(remote)
    source.fetch(remote, refs[ref], refs)
    return refs[ref]


def test_a_commit_changes_the_files_that_are_named_and_no_other(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    upstream.commit({"keep": b"1", "run": File.program(b"#!"), "gone/a": b"2", "changed": b"3"})
    parent = take(source, remote)
    run = source.tree(remote, parent).files("run")[0]
    files = {"changed": b"4", "gone/a": None, "new/deep/file": b"", "copy": (run.mode, run.oid), "not there": None}
    commit = source.commit(remote, parent, files, "change\n\nwhy\n")
    source.push(remote, commit, "refs/heads/main", parent)
    assert upstream.git("rev-parse", "refs/heads/main", "refs/heads/main^") == f"{commit}\n{parent}"
    listed = upstream.git("ls-tree", "-r", "--format=%(objectmode) %(path)", commit).splitlines()
    assert listed == ["100644 changed", "100755 copy", "100644 keep", "100644 new/deep/file", "100755 run"]
    assert upstream.git("show", f"{commit}:changed") == "4"
    assert upstream.git("fsck", "--strict") == ""


def test_a_commit_that_was_made_here_is_read_like_one_that_was_fetched(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    upstream.commit({"a": b"1"}, message="first\n\nIts body.\n\nKey: value\n")
    parent = take(source, remote)
    assert source.message(remote, parent).rstrip("\n") == "first\n\nIts body.\n\nKey: value"
    message = "wörds: of \U0001f680\n\nA body\n\nKey: value\n"
    commit = source.commit(remote, parent, {"b": b"2"}, message)
    source.fetch(remote, commit, {})
    assert [entry.path for entry in source.tree(remote, commit).files()] == ["a", "b"]
    assert source.message(remote, commit) == message
    assert source.subject(remote, commit) == "Dispatch: wörds: of \U0001f680"


def test_the_same_arguments_give_the_same_commit(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    commit = source.commit(remote, parent, {"b": b"2"}, "message")
    assert source.commit(remote, parent, {"b": b"2"}, "message") == commit
    assert source.commit(remote, parent, {"b": b"2"}, "another") != commit
    source.push(remote, commit, "refs/heads/main", parent)
    written = upstream.git("show", "-s", "--format=%an %ae %at %cn %ce %ct", commit)
    assert written == "Dispatch dispatch@dispatch.dev 1700000000 Dispatch dispatch@dispatch.dev 1700000000"


def test_a_ref_of_its_own_begins_without_a_parent_and_grows(
    source: GitSource, remote: Remote, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.commit({"a": b"1"})
    first = source.commit(remote, None, {}, "first")
    source.push(remote, first, LEDGER, None)
    assert source.refs(remote)[LEDGER] == first
    with contextlib.closing(GitSource(tmp_path / "another cache", allow_file=True)) as other:
        assert take(other, remote, LEDGER) == first
        assert other.message(remote, first) == "first"
        second = other.commit(remote, first, {}, "second")
        other.push(remote, second, LEDGER, first)
        third = other.commit(remote, second, {}, "third")
        other.push(remote, third, LEDGER, second)
    assert take(source, remote, LEDGER) == third
    assert source.message(remote, third) == "third"
    assert upstream.git("log", "--format=%s %ct", LEDGER) == "third 0\nsecond 0\nfirst 0"
    assert upstream.git("ls-tree", LEDGER) == ""


def test_a_push_that_was_done_already_is_done(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    commit = source.commit(remote, parent, {"b": b"2"}, "message")
    source.push(remote, commit, "refs/heads/new", None)
    source.push(remote, commit, "refs/heads/new", None)
    source.push(remote, commit, "refs/heads/new", parent)
    assert upstream.git("rev-parse", "refs/heads/new") == commit


def test_a_ref_that_moved_is_not_overwritten(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    ours = source.commit(remote, parent, {"a": b"ours"}, "ours")
    theirs = upstream.commit({"a": b"theirs"})
    with pytest.raises(Transient, match=f"refs/heads/main of .*app.git is not at {parent[:10]} any more") as caught:
        source.push(remote, ours, "refs/heads/main", parent)
    assert caught.value.reason == Reason.CONFLICT
    with pytest.raises(Transient, match="is there already: somebody else has written it") as caught:
        source.push(remote, ours, "refs/heads/main", None)
    assert caught.value.reason == Reason.CONFLICT
    assert upstream.git("rev-parse", "refs/heads/main") == theirs


def test_a_ref_that_was_deleted_meanwhile_is_not_brought_back(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    upstream.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(Transient) as caught:
        source.push(remote, source.commit(remote, parent, {"a": b"2"}, "m"), "refs/heads/main", parent)
    assert caught.value.reason == Reason.CONFLICT
    assert upstream.git("for-each-ref") == ""


def test_of_two_who_push_at_once_one_wins_and_the_other_is_told(
    source: GitSource, remote: Remote, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    # Both are past the check of the client when the server decides.
    hook(upstream, "sleep 0.5")
    outcomes: list[object] = []

    def push(own: GitSource, name: str) -> None:
        take(own, remote)
        commit = own.commit(remote, parent, {"a": name.encode()}, name)
        barrier.wait(30)
        try:
            own.push(remote, commit, "refs/heads/main", parent)
            outcomes.append(commit)
        except Transient as error:
            outcomes.append(error.reason)

    barrier = threading.Barrier(2)
    with contextlib.closing(GitSource(tmp_path / "another cache", allow_file=True)) as other:
        threads = [threading.Thread(target=push, args=pair) for pair in ((source, "one"), (other, "two"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert sorted(map(str, outcomes)) == sorted([Reason.CONFLICT, upstream.git("rev-parse", "refs/heads/main")])


def hook(upstream: Upstream, script: str) -> None:
    file = upstream.path / "hooks" / "pre-receive"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_a_ref_that_the_host_protects_is_said_in_the_hosts_own_words(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    before = upstream.commit({"a": b"1"})
    parent = take(source, remote)
    hook(upstream, "echo 'Nobody may write to main.' >&2; echo 'Ask Ada.' >&2; exit 1")
    with pytest.raises(
        Terminal, match=r"cannot write refs/heads/main of .*: Nobody may write to main. Ask Ada. "
    ) as caught:
        source.push(remote, source.commit(remote, parent, {"a": b"2"}, "m"), "refs/heads/main", parent)
    assert caught.value.reason == Reason.SOURCE_DENIED
    assert upstream.git("rev-parse", "refs/heads/main") == before


def test_a_branch_below_another_is_refused_and_the_one_in_the_way_is_named(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    with pytest.raises(Terminal, match=r"refs/heads/main/x") as caught:
        source.push(remote, source.commit(remote, parent, {"a": b"2"}, "m"), "refs/heads/main/x", None)
    assert caught.value.reason == Reason.SOURCE_DENIED


def test_a_push_to_a_host_that_is_gone_is_tried_again(
    source: GitSource, remote: Remote, upstream: Upstream, host: Host
) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    host.stop()
    commit = source.commit(remote, parent, {"a": b"2"}, "m")
    expected = Terminal if remote.url.startswith("file:") else Transient
    with pytest.raises(expected, match=r"cannot write to \S*app.git") as caught:
        source.push(remote, commit, "refs/heads/main", parent)
    if expected is Transient:
        assert caught.value.reason == Reason.SOURCE_UNREACHABLE


def test_what_a_commit_builds_on_must_be_fetched(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"})
    for call in (
        lambda: source.commit(remote, NOWHERE, {}, "m"),
        lambda: source.push(remote, NOWHERE, "refs/heads/x", None),
        lambda: source.message(remote, NOWHERE),
    ):
        with pytest.raises(Transient, match="It is fetched again") as caught:
            call()
        assert caught.value.reason == Reason.SOURCE_UNREACHABLE


@pytest.mark.parametrize("ref", ["main", "refs/heads/a:refs/heads/b", "refs/heads/*", "refs/heads/a b", "--all", ""])
def test_what_is_no_full_ref_does_not_reach_git(source: GitSource, remote: Remote, ref: str) -> None:
    with pytest.raises(Terminal, match="is not a full name of a ref"):
        source.push(remote, NOWHERE, ref, None)


@pytest.mark.parametrize("path", ["../a", ".git/config", "a/../../b", "/etc/passwd", "", "a//b"])
def test_a_path_that_leads_out_is_in_no_commit(
    source: GitSource, remote: Remote, upstream: Upstream, path: str
) -> None:
    upstream.commit({"a": b"1"})
    with pytest.raises(Terminal, match="cannot be in a commit"):
        source.commit(remote, take(source, remote), {path: b"x"}, "m")


def test_names_with_any_character_are_committed(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    names = [" space ", 'quo"te\\', "new\nline", "ünï", "-dash", b"bad-\xff".decode("utf-8", "surrogateescape")]
    commit = source.commit(remote, parent, {name: name.encode("utf-8", "surrogateescape") for name in names}, "m")
    tree = source.tree(remote, commit)
    assert {entry.path for entry in tree.files()} == {"a", *names}
    assert all(tree.read(name, 100) == name.encode("utf-8", "surrogateescape") for name in names)


def test_a_folder_takes_the_place_of_a_file(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a": b"1", "b/c": b"2"})
    parent = take(source, remote)
    commit = source.commit(remote, parent, {"a": None, "a/x": b"3", "b/c": None, "b": b"4"}, "m")
    assert [entry.path for entry in source.tree(remote, commit).files()] == ["a/x", "b"]


def test_a_commit_on_one_whose_history_is_not_here_is_pushed(
    source: GitSource, remote: Remote, upstream: Upstream, tmp_path: Path
) -> None:
    for number in range(3):
        upstream.commit({"a": f"{number}".encode()})
    parent = take(source, remote)
    (mirror,) = (tmp_path / "cache").glob("*.git")
    assert (mirror / "shallow").read_text() == f"{parent}\n", "one commit deep"
    commit = source.commit(remote, parent, {"b": b"2"}, "m")
    source.push(remote, commit, "refs/heads/main", parent)
    assert len(upstream.git("rev-list", "refs/heads/main").splitlines()) == 4
    assert upstream.git("fsck", "--strict") == ""


def test_a_file_comes_back_from_an_older_commit_by_its_id(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    old = upstream.commit({"run": File.program(b"old")})
    upstream.commit({"run": b"new"})
    head = take(source, remote)
    source.fetch(remote, old, {})
    (entry,) = source.tree(remote, old).files("run")
    commit = source.commit(remote, head, {"run": (entry.mode, entry.oid)}, "Revert")
    source.push(remote, commit, "refs/heads/main", head)
    assert upstream.git("diff", "--name-only", old, "refs/heads/main") == ""


def test_a_new_branch_may_begin_where_the_old_one_was(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    """The remote has moved on, and none of its refs names the commit that ours builds on."""
    for number in range(2):
        upstream.commit({"a": f"{number}".encode()})
    parent = take(source, remote)
    later = upstream.commit({"a": b"later"})
    commit = source.commit(remote, parent, {"b": b"2"}, "m")
    source.push(remote, commit, "refs/heads/dispatch/revert/team-a/web", None)
    assert upstream.git("rev-parse", "refs/heads/main") == later
    assert len(upstream.git("rev-list", commit).splitlines()) == 3
    assert upstream.git("fsck", "--strict") == ""


def test_a_branch_cannot_begin_at_what_was_forced_away(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    for number in range(2):
        upstream.commit({"a": f"{number}".encode()})
    parent = take(source, remote)
    upstream.commit({"a": b"new"}, parent=False)
    upstream.git("reflog", "expire", "--expire=now", "--all")
    upstream.git("gc", "--quiet", "--prune=now")
    with pytest.raises(Transient, match="the commit that it builds on is not there any more") as caught:
        source.push(remote, source.commit(remote, parent, {"b": b"2"}, "m"), "refs/heads/new", None)
    assert caught.value.reason == Reason.CONFLICT
    assert upstream.git("for-each-ref", "refs/heads/new") == ""
