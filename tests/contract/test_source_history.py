"""The port `Source`, asked for what happened: held on every kind of remote."""

from __future__ import annotations

from adapters.git.upstream import Upstream
from contract.test_source_writing import take

from reconciler.adapters.git import GitSource
from reconciler.ports import Remote

NOWHERE = "0123456789abcdef0123456789abcdef01234567"


def test_the_commits_of_a_folder_are_told_with_their_authors_the_newest_first(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    upstream.commit({"staging/a": b"1", "other": b"1"}, message="first")
    second = upstream.commit({"staging/a": b"2", "other": b"1"}, message="second\n\nKey: value\n", author="Bö <b@x>")
    upstream.commit({"staging/a": b"2", "other": b"2"}, message="elsewhere")
    third = upstream.commit({"staging/a": b"3", "other": b"2"}, message="third")
    head = take(source, remote)
    found = source.history(remote, head, "", "staging")
    assert [(each.author, each.subject) for each in found] == [("Ada", "third"), ("Bö", "second"), ("Ada", "first")]
    assert [each.commit for each in found[:2]] == [third, second]
    assert found[1].message.rstrip("\n") == "second\n\nKey: value"
    assert [each.subject for each in source.history(remote, head, "", "")][1] == "elsewhere"


def test_what_an_earlier_commit_has_already_is_left_out(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"staging/a": b"1"}, message="first")
    since = take(source, remote)
    upstream.commit({"staging/a": b"2"}, message="second")
    head = take(source, remote)
    assert [each.subject for each in source.history(remote, head, since, "staging")] == ["second"]
    assert source.history(remote, head, head, "staging") == ()
    assert [each.subject for each in source.history(remote, head, NOWHERE, "staging")] == ["second", "first"]


def test_of_a_long_history_the_newest_part_is_told_and_the_mirror_serves_on(
    source: GitSource, remote: Remote, upstream: Upstream
) -> None:
    upstream.history(210, lambda number: ({"staging/a": str(number).encode()}, f"change {number}"))
    head = take(source, remote)
    found = source.history(remote, head, "", "staging")
    assert [each.subject for each in found[:2]] == ["change 209", "change 208"]
    assert 100 < len(found) <= 200
    upstream.commit({"staging/a": b"next"}, message="next")
    newer = take(source, remote)
    assert [each.subject for each in source.history(remote, newer, head, "staging")] == ["next"]
    commit = source.commit(remote, newer, {"staging/b": b"1"}, "ours")
    source.push(remote, commit, "refs/heads/main", newer)
    assert upstream.git("fsck", "--strict") == ""


def test_a_path_is_a_path_and_no_pattern(source: GitSource, remote: Remote, upstream: Upstream) -> None:
    upstream.commit({"a/x": b"1", "b/x": b"1"})
    assert source.history(remote, take(source, remote), "", "*") == ()
    assert source.history(remote, take(source, remote), "", ":(top)a") == ()
