"""Writing to a real forge: what it protects, whom it lets in, and refs that it does not show."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from gitea_town import Town

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import GitCredentials
from reconciler.sandbox.platform import Sandbox

LEDGER = "refs/dispatch/state/main/team-a/web"


@pytest.fixture(scope="module")
def repository(gitea: Sandbox) -> Town:
    return Town(gitea)


def head(source: GitSource, town: Town, ref: str = "refs/heads/main") -> str:
    remote = town.remote()
    refs = source.refs(remote)
    source.fetch(remote, refs[ref], refs)
    return refs[ref]


def test_a_commit_on_one_without_history_is_pushed(source: GitSource, repository: Town) -> None:
    for number in range(2):
        parent = head(source, repository)
        commit = source.commit(repository.remote(), parent, {"deep/a": f"{number}".encode()}, f"change {number}")
        source.push(repository.remote(), commit, "refs/heads/main", parent)
    with contextlib.closing(GitSource(source._cache.parent / "shallow", allow_file=False)) as other:
        parent = head(other, repository)
        commit = other.commit(repository.remote(), parent, {"deep/b": b"2"}, "change 2")
        (mirror,) = (source._cache.parent / "shallow").glob("*.git")
        assert (mirror / "shallow").read_text() == f"{parent}\n"
        other.push(repository.remote(), commit, "refs/heads/main", parent)
    log = repository.ask("GET", "/commits?sha=main&limit=3")
    assert [one["commit"]["message"].strip() for one in log] == ["change 2", "change 1", "change 0"]
    assert log[0]["sha"] == commit


def test_a_ledger_lives_at_a_ref_that_is_no_branch(source: GitSource, repository: Town, tmp_path: Path) -> None:
    remote = repository.remote()
    first = source.commit(remote, None, {}, "first\n\nDispatch-Promoted: 1\n")
    source.push(remote, first, LEDGER, None)
    second = source.commit(remote, first, {}, "second\n\nDispatch-Promoted: 2\n")
    source.push(remote, second, LEDGER, first)
    with contextlib.closing(GitSource(tmp_path / "another cache", allow_file=False)) as other:
        refs = other.refs(remote)
        assert refs[LEDGER] == second
        other.fetch(remote, second, refs)
        assert other.message(remote, second) == "second\n\nDispatch-Promoted: 2\n"
        third = other.commit(remote, second, {}, "third")
        other.push(remote, third, LEDGER, second)
    with pytest.raises(Transient) as caught:
        source.push(remote, source.commit(remote, second, {}, "late"), LEDGER, second)
    assert caught.value.reason == Reason.CONFLICT
    assert [branch["name"] for branch in repository.ask("GET", "/branches")] == ["main"]


def test_a_protected_branch_is_refused_in_giteas_own_words(source: GitSource, gitea: Sandbox) -> None:
    town = Town(gitea)
    town.protect()
    parent = head(source, town)
    commit = source.commit(town.remote(), parent, {"a": b"1"}, "m")
    with pytest.raises(Terminal, match=r"refs/heads/main of .*: .*protected branch main") as caught:
        source.push(town.remote(), commit, "refs/heads/main", parent)
    assert caught.value.reason == Reason.SOURCE_DENIED
    source.push(town.remote(), commit, "refs/heads/dispatch/revert/team-a/web/0123456789", None)
    assert head(source, town) == parent


def test_who_may_only_read_cannot_push_and_is_told_so(source: GitSource, repository: Town) -> None:
    parent = head(source, repository)
    commit = source.commit(repository.remote(), parent, {"a": b"1"}, "m")
    remote = repository.remote(repository.reader)
    source.refs(remote)
    for ref in ("refs/heads/main", "refs/dispatch/state/main/team-a/other"):
        with pytest.raises(
            Terminal, match=f"cannot write {ref} of .*: User permission denied for writing. Allow it"
        ) as caught:
            source.push(remote, commit, ref, parent if ref.endswith("main") else None)
        assert caught.value.reason == Reason.SOURCE_DENIED
        assert repository.reader.token not in caught.value.message


def test_a_wrong_token_is_refused_and_not_repeated(source: GitSource, repository: Town) -> None:
    parent = head(source, repository)
    commit = source.commit(repository.remote(), parent, {"a": b"1"}, "m")
    wrong = "0123456789" * 4
    with pytest.raises(Terminal, match="Check the Secret") as caught:
        source.push(repository.remote()._replace(credentials=GitCredentials(password=wrong)), commit, LEDGER, None)
    assert caught.value.reason == Reason.SOURCE_DENIED
    assert wrong not in caught.value.message


def test_an_archived_repository_is_not_written_to(source: GitSource, gitea: Sandbox) -> None:
    town = Town(gitea)
    parent = head(source, town)
    town.ask("PATCH", "", {"archived": True})
    with pytest.raises(Terminal) as caught:
        source.push(town.remote(), source.commit(town.remote(), parent, {"a": b"1"}, "m"), "refs/heads/main", parent)
    assert caught.value.reason == Reason.SOURCE_DENIED
