"""The port `Forge` on a real Gitea: pull requests are opened once, and merged at the head that was meant."""

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
from reconciler.model.outcome import Blocked, Reason, Terminal, Transient
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


def test_what_is_opened_twice_is_one(forge: Forge, town: Town, branch: str) -> None:
    assert forge.find(branch, "main") is None
    first = forge.open(branch, "main", "Revert web", "Because.")
    assert (first.head, first.base, first.state, first.merge_commit) == (branch, "main", "open", "")
    assert first.head_commit == town.ask("GET", f"/branches/{branch}")["commit"]["id"]
    assert first.url == f"{town.url}/{town.owner.name}/{town.name}/pulls/{first.number}"
    assert forge.open(branch, "main", "Another title", "") == first
    assert forge.find(branch, "main") == forge.read(first.number) == first
    document = town.ask("GET", f"/pulls/{first.number}")
    assert (document["title"], document["body"], document["user"]["login"]) == ("Revert web", "Because.", town.bot.name)


def test_a_merge_at_the_expected_head_goes_through_once(forge: Forge, town: Town, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    merged = settled(lambda: forge.merge(opened.number, opened.head_commit, MESSAGE))
    main = town.ask("GET", "/branches/main")["commit"]
    assert (merged.state, merged.merge_commit, merged.head) == ("merged", main["id"], branch)
    assert main["message"].strip() == MESSAGE
    assert merged.head_commit == opened.head_commit
    assert forge.merge(opened.number, opened.head_commit, MESSAGE) == merged
    assert forge.find(branch, "main") == merged
    assert forge.close(opened.number) == merged
    assert branch not in [one["name"] for one in town.ask("GET", "/branches")], "the branch is tidied away"


def test_a_merge_at_a_stale_head_is_refused(forge: Forge, town: Town, source: GitSource, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    push(town, source, branch)
    with pytest.raises(Transient, match=f"not at {opened.head_commit[:10]} any more") as caught:
        settled(lambda: forge.merge(opened.number, opened.head_commit, "m"))
    assert caught.value.reason == Reason.CONFLICT
    now = forge.read(opened.number)
    assert now.state == "open" and now.head_commit != opened.head_commit
    assert settled(lambda: forge.merge(opened.number, now.head_commit, "m")).state == "merged"


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


def test_a_merge_that_needs_an_approval_waits_for_it(gitea: Sandbox, source: GitSource) -> None:
    town = Town(gitea)
    town.protect(required_approvals=1, dismiss_stale_approvals=True)
    forge = forge_of(town)
    branch = push(town, source, "dispatch/a")
    opened = forge.open(branch, "main", "t", "b")
    for _ in range(2):
        with pytest.raises(Blocked, match=f"{opened.url} cannot be merged yet: .*approvals") as caught:
            settled(lambda: forge.merge(opened.number, opened.head_commit, MESSAGE))
        assert caught.value.reason == Reason.MERGE_BLOCKED and caught.value.wait == 60
    town.approve(opened.number)
    assert settled(lambda: forge.merge(opened.number, opened.head_commit, MESSAGE)).state == "merged"
    assert town.ask("GET", "/branches/main")["commit"]["message"].strip() == MESSAGE


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


def test_what_was_closed_stays_closed(forge: Forge, town: Town, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    closed = forge.close(opened.number)
    assert closed.state == "closed"
    assert forge.close(opened.number) == forge.find(branch, "main") == forge.read(opened.number) == closed
    with pytest.raises(Blocked, match="was closed without merging") as caught:
        forge.merge(opened.number, opened.head_commit, "m")
    assert caught.value.reason == Reason.MERGE_BLOCKED
    assert town.ask("GET", f"/pulls/{opened.number}")["state"] == "closed"


def test_of_many_with_the_same_branches_the_open_one_is_found_then_the_newest(forge: Forge, branch: str) -> None:
    first = forge.open(branch, "main", "t", "b")
    forge.close(first.number)
    second = forge.open(branch, "main", "t", "b")
    assert second.number != first.number
    assert forge.find(branch, "main") == second
    closed = forge.close(second.number)
    assert forge.find(branch, "main") == closed


def test_another_branch_or_base_is_another_pull_request(forge: Forge, town: Town, source: GitSource) -> None:
    one, other = push(town, source, "dispatch/x"), push(town, source, "dispatch/x-y")
    opened = forge.open(one, "main", "t", "b")
    assert forge.find(other, "main") is None
    assert forge.find(one, other) is None
    assert forge.open(one, other, "t", "b").number != opened.number
    assert forge.find(one, "main") == opened


def test_a_branch_of_the_same_name_in_a_fork_is_not_ours(forge: Forge, town: Town, source: GitSource) -> None:
    branch = f"dispatch/fork/{next(numbers)}"
    fork = town.ask("POST", "/forks", {}, town.reader)["full_name"]
    change = {"content": "eA==", "message": "m", "branch": "main", "new_branch": branch}
    town.call("POST", f"/repos/{fork}/contents/b", change, town.reader)
    wanted = {"head": f"{town.reader.name}:{branch}", "base": "main", "title": "t"}
    theirs = town.ask("POST", "/pulls", wanted, town.reader)
    assert theirs["head"]["label"] == branch
    push(town, source, branch)
    assert forge.find(branch, "main") is None
    ours = forge.open(branch, "main", "t", "b")
    assert ours.number != theirs["number"]
    assert forge.find(branch, "main") == ours
    forge.close(ours.number)
    assert forge.find(branch, "main") == ours._replace(state="closed")


def test_long_texts_are_cut_and_not_refused(forge: Forge, branch: str) -> None:
    assert forge.open(branch, "main", "t" * 1000, "b" * 200_000).state == "open"


def test_what_is_not_there_is_said(forge: Forge, town: Town, branch: str) -> None:
    for call in (lambda: forge.read(99999), lambda: forge.close(99999), lambda: forge.merge(99999, "1" * 40, "m")):
        with pytest.raises(Terminal) as caught:
            call()
        assert caught.value.reason == Reason.FORGE_DENIED
    with pytest.raises(Terminal) as caught:
        forge.open("nothing", "main", "t", "b")
    assert caught.value.reason == Reason.FORGE_DENIED
    nowhere = forge_of(town, url=f"{town.url}/{town.owner.name}/nothing.git")
    with pytest.raises(Terminal, match=r"Check spec\.url") as caught:
        nowhere.open(branch, "main", "t", "b")
    assert caught.value.reason == Reason.FORGE_DENIED


def test_a_wrong_token_is_refused_and_not_repeated(town: Town, branch: str) -> None:
    wrong = secrets.token_hex(20)
    forge = forge_of(town, token=wrong)
    for call in (
        lambda: forge.find(branch, "main"),
        lambda: forge.open(branch, "main", "t", "b"),
        lambda: forge.read(1),
        lambda: forge.merge(1, "1" * 40, "m"),
        lambda: forge.close(1),
    ):
        with pytest.raises(Terminal, match="credentialsRef") as caught:
            call()
        assert caught.value.reason == Reason.FORGE_DENIED
        assert wrong not in str(caught.getrepr(showlocals=False))


def test_who_may_only_read_cannot_merge(town: Town, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    with pytest.raises((Terminal, Blocked)) as caught:
        settled(lambda: forge_of(town, town.reader).merge(opened.number, opened.head_commit, "m"))
    assert caught.value.reason in (Reason.FORGE_DENIED, Reason.MERGE_BLOCKED)
    assert forge.read(opened.number) == opened


def test_no_token_is_said_before_anything_is_asked(town: Town) -> None:
    for token in ("", "\n", "with space\nand line", "ü"):
        with pytest.raises(Terminal, match="there is no token") as caught:
            forge_of(town, token=token)
        assert caught.value.reason == Reason.FORGE_DENIED


def test_a_forge_that_is_gone_is_tried_again(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "own", [Part.GITEA], print) as sandbox:
        town = Town(sandbox)
        forge = forge_of(town)
        assert forge.find("a", "main") is None
    for call in (
        lambda: forge.find("a", "main"),
        lambda: forge.open("a", "main", "t", "b"),
        lambda: forge.read(1),
        lambda: forge.merge(1, "1" * 40, "m"),
        lambda: forge.close(1),
    ):
        with pytest.raises(Transient, match="It is tried again") as caught:
            call()
        assert caught.value.reason == Reason.FORGE_UNREACHABLE
        assert town.bot.token not in caught.value.message
