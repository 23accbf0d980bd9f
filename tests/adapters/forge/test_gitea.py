"""What only Gitea does, on a real one; what all forges are held to is in tests/contract/test_forge.py."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gitea_town import Person, Town

from reconciler.adapters.forge import open_forge
from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Blocked, Reason, Transient
from reconciler.model.repository import RepositorySpec
from reconciler.ports import Forge, GitCredentials, PullRequest
from reconciler.sandbox.platform import Part, Sandbox

MESSAGE = "Revert web\n\nAborted: 7% errors\n\nDispatch-Reverts: 0123456789\nDispatch-Application: team-a/web"


@pytest.fixture(scope="module")
def town(gitea: Sandbox) -> Town:
    return Town(gitea)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitSource]:
    with contextlib.closing(GitSource(tmp_path_factory.mktemp("git") / "cache", allow_file=False)) as made:
        yield made


def forge_of(town: Town, person: Person | None = None, token: str | None = None, url: str = "") -> Forge:
    spec = {"url": url or town.git_url, "credentialsRef": {"name": "x"}, "forge": {"kind": "gitea"}, "timeout": "20s"}
    given = (person or town.bot).token if token is None else token
    made = open_forge(RepositorySpec.model_validate(spec), GitCredentials(password=f"{given}\n"))
    assert made is not None
    return made


@pytest.fixture
def forge(town: Town) -> Forge:
    return forge_of(town)


numbers = itertools.count()
STYLES = {"merge_commits": "merge", "squash_merge": "squash", "rebase": "rebase", "rebase_explicit": "rebase-merge"}
STYLES["fast_forward_only_merge"] = "fast-forward-only"


@pytest.fixture
def branch(town: Town, source: GitSource) -> str:
    """A branch that is one commit ahead of main."""
    return push(town, source, f"dispatch/revert/team-a/web/{next(numbers)}")


def push(town: Town, source: GitSource, name: str) -> str:
    remote = town.remote()
    refs = source.refs(remote)
    before = refs.get(f"refs/heads/{name}")
    parent = before or refs["refs/heads/main"]
    source.fetch(remote, parent, refs)
    commit = source.commit(remote, parent, {f"{name}/{secrets.token_hex(4)}": b"x"}, "change")
    source.push(remote, commit, f"refs/heads/{name}", before)
    return name


def settled(merge: Callable[[], PullRequest]) -> PullRequest:
    """What merging gives once the forge has looked at the pull request, which it does in the background."""
    for _ in range(60):
        try:
            return merge()
        except Blocked as error:
            assert error.reason == Reason.MERGE_BLOCKED
            if "still looking at it" not in error.message:
                raise
        time.sleep(0.25)
    raise AssertionError("the forge is still looking")


def test_a_head_that_moves_while_it_is_merged_is_refused_by_the_forge_itself(
    forge: Forge, town: Town, source: GitSource, branch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = forge.open(branch, "main", "t", "b")
    settled(lambda: _probe(forge, town, opened))
    style = forge._style  # type: ignore[attr-defined]

    def moved() -> str:
        push(town, source, branch)
        return str(style())

    monkeypatch.setattr(forge, "_style", moved)
    with pytest.raises((Transient, Blocked)) as caught:
        forge.merge(opened.number, opened.head_commit, "m")
    assert caught.value.reason == Reason.CONFLICT
    assert town.ask("GET", f"/pulls/{opened.number}")["merged"] is False


def _probe(forge: Forge, town: Town, opened: PullRequest) -> PullRequest:
    if not town.ask("GET", f"/pulls/{opened.number}")["mergeable"]:
        raise Blocked(Reason.MERGE_BLOCKED, "still looking at it", 1)
    return opened


def test_a_conflict_is_blocked_and_not_called_a_moved_head(gitea: Sandbox, source: GitSource) -> None:
    town = Town(gitea)
    forge, remote = forge_of(town), town.remote()
    parent = source.refs(remote)["refs/heads/main"]
    source.fetch(remote, parent, {})
    ours, theirs = (source.commit(remote, parent, {"README.md": text}, "m") for text in (b"ours", b"theirs"))
    source.push(remote, ours, "refs/heads/dispatch/a", None)
    opened = forge.open("dispatch/a", "main", "t", "b")
    source.push(remote, theirs, "refs/heads/main", parent)
    for _ in range(2):
        with pytest.raises(Blocked, match="it conflicts with main") as caught:
            forge.merge(opened.number, opened.head_commit, "m")
        assert caught.value.reason == Reason.MERGE_BLOCKED


@pytest.mark.parametrize("style", ["squash", "rebase", "rebase-merge", "fast-forward-only"])
def test_a_repository_is_merged_in_the_way_that_it_allows(gitea: Sandbox, source: GitSource, style: str) -> None:
    town = Town(gitea)
    settings = {f"allow_{name}": each == style for name, each in STYLES.items()}
    town.ask("PATCH", "", {**settings, "default_merge_style": style, "has_pull_requests": True})
    forge = forge_of(town)
    opened = forge.open(push(town, source, "dispatch/a"), "main", "t", "b")
    merged = settled(lambda: forge.merge(opened.number, opened.head_commit, MESSAGE))
    assert merged.state == "merged"
    assert town.ask("GET", "/branches/main")["commit"]["id"] == merged.merge_commit


@pytest.mark.sandbox
def test_a_forge_that_is_gone_is_tried_again(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "own", [Part.GITEA], print) as sandbox:
        town = Town(sandbox)
        forge = forge_of(town)
        assert forge.find("a", "main") is None
    calls: list[Callable[[], object]] = [
        lambda: forge.find("a", "main"),
        lambda: forge.open("a", "main", "t", "b"),
        lambda: forge.read(1),
        lambda: forge.merge(1, "1" * 40, "m"),
        lambda: forge.close(1),
    ]
    for call in calls:
        with pytest.raises(Transient, match="It is tried again") as caught:
            call()
        assert caught.value.reason == Reason.FORGE_UNREACHABLE
        assert town.bot.token not in caught.value.message
