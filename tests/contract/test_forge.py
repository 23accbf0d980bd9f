"""The ports `Forge` and `CommitStatuses`, one suite for all: the real Gitea, and servers that answer as GitHub and
GitLab do. Pull requests are opened once, merged at the head that was meant, and written to only where there is news.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from forges.hosts import (
    ForgeHost,
    branch_of,
    forge_of,
    looked,
    settled,
    statuses_of,
)
from traces import trace_of

from reconciler.model.outcome import Blocked, Reason, Terminal, Transient
from reconciler.ports import Forge

MESSAGE = "Revert web\n\nAborted: 7% errors\n\nDispatch-Reverts: 0123456789\nDispatch-Application: team-a/web"


@pytest.fixture
def host(forge_host: ForgeHost) -> ForgeHost:
    return forge_host


@pytest.fixture
def forge(host: ForgeHost) -> Forge:
    return forge_of(host)


@pytest.fixture
def branch(host: ForgeHost) -> str:
    return branch_of(host)


def calls(forge: Forge, number: int = 99999) -> list[Callable[[], object]]:
    """One call of each verb that is about a pull request."""
    return [
        lambda: forge.read(number),
        lambda: forge.update(number, "t", "b"),
        lambda: forge.merge(number, "1" * 40, "m"),
        lambda: forge.close(number),
        lambda: forge.comment(number, "m", "t"),
        lambda: forge.reviews(number),
    ]


def test_what_is_opened_twice_is_one(host: ForgeHost, forge: Forge, branch: str) -> None:
    assert forge.find(branch, "main") is None
    first = forge.open(branch, "main", "Revert web", "Because.")
    assert (first.head, first.base, first.state, first.merge_commit) == (branch, "main", "open", "")
    assert (first.author, first.title, first.draft) == (host.names["bot"], "Revert web", False)
    assert first.head_commit == host.head(branch)
    assert str(first.number) in first.url.rpartition("/")[2]
    assert first.changes in (f"{first.url}/files", f"{first.url}/diffs")
    assert looked(forge.open(branch, "main", "Another title", "")) == looked(first)
    found = forge.find(branch, "main")
    assert found is not None and looked(found) == looked(forge.read(first.number)) == looked(first)
    assert host.document(first.number) == ("Revert web", "Because.", host.names["bot"])


def test_a_merge_at_the_expected_head_goes_through_once(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    merged = settled(lambda: forge.merge(opened.number, opened.head_commit, MESSAGE))
    assert (merged.state, merged.merge_commit, merged.head) == ("merged", host.head("main"), branch)
    assert host.message(merged.merge_commit) == MESSAGE
    assert merged.head_commit == opened.head_commit and merged.mergeable is None
    assert merged.merged_by == host.names["bot"] and merged.merged_at is not None
    assert (opened.merged_by, opened.merged_at) == ("", None)
    assert forge.merge(opened.number, opened.head_commit, MESSAGE) == merged
    assert forge.find(branch, "main") == merged
    assert forge.close(opened.number) == merged
    assert host.head(branch) is None, "the branch is tidied away"


def test_who_merged_by_hand_is_told(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    before = datetime.now(UTC) - timedelta(minutes=1)
    settled(lambda: forge_of(host, "reviewer").merge(opened.number, opened.head_commit, MESSAGE))
    found = forge.read(opened.number)
    assert (found.merged_by, found.author) == (host.names["reviewer"], host.names["bot"])
    assert found.merged_at is not None and before < found.merged_at < datetime.now(UTC) + timedelta(minutes=1)


def test_a_merge_at_a_stale_head_is_refused(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    before = host.head("main")
    host.push(branch)
    with pytest.raises(Transient, match=f"not at {opened.head_commit[:10]} any more") as caught:
        settled(lambda: forge.merge(opened.number, opened.head_commit, "m"))
    assert caught.value.reason == Reason.CONFLICT
    now = forge.read(opened.number)
    assert now.state == "open" and now.head_commit != opened.head_commit and host.head("main") == before
    assert settled(lambda: forge.merge(opened.number, now.head_commit, "m")).state == "merged"


def test_a_merge_that_needs_an_approval_waits_for_it(host: ForgeHost, forge: Forge, branch: str) -> None:
    host.protect()
    opened = forge.open(branch, "main", "t", "b")
    for _ in range(2):
        with pytest.raises(Blocked, match=f"{opened.url} cannot be merged yet: .*(?i:approv)") as caught:
            settled(lambda: forge.merge(opened.number, opened.head_commit, MESSAGE))
        assert caught.value.reason == Reason.MERGE_BLOCKED and caught.value.wait == 60
    host.review(opened.number, "approved")
    assert settled(lambda: forge.merge(opened.number, opened.head_commit, MESSAGE)).state == "merged"
    assert host.message(str(host.head("main"))) == MESSAGE


def test_a_conflict_is_blocked_and_not_called_a_moved_head(host: ForgeHost, forge: Forge) -> None:
    host.push("dispatch/a", file="README.md")
    opened = forge.open("dispatch/a", "main", "t", "b")
    host.push("main", file="README.md")
    for _ in range(3):
        with pytest.raises(Blocked) as caught:
            forge.merge(opened.number, opened.head_commit, "m")
        assert caught.value.reason == Reason.MERGE_BLOCKED
    assert forge.read(opened.number).state == "open"
    assert forge.read(opened.number).mergeable is not True


def test_what_was_closed_stays_closed(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    closed = forge.close(opened.number)
    assert (closed.state, closed.mergeable) == ("closed", None)
    assert forge.close(opened.number) == forge.find(branch, "main") == forge.read(opened.number) == closed
    before = host.head("main")
    with pytest.raises(Blocked, match="was closed without merging") as caught:
        forge.merge(opened.number, opened.head_commit, "m")
    assert caught.value.reason == Reason.MERGE_BLOCKED
    assert host.head("main") == before and forge.read(opened.number).state == "closed"


def test_a_pull_request_is_closed_under_another_title(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    closed = forge.close(opened.number, "Superseded: t")
    assert (closed.state, closed.title) == ("closed", "Superseded: t")
    assert host.document(opened.number)[:2] == ("Superseded: t", "b")
    assert forge.close(opened.number, "another").title == "Superseded: t"


def test_of_many_with_the_same_branches_the_open_one_is_found_then_the_newest(forge: Forge, branch: str) -> None:
    first = forge.open(branch, "main", "t", "b")
    forge.close(first.number)
    second = forge.open(branch, "main", "t", "b")
    assert second.number != first.number
    found = forge.find(branch, "main")
    assert found is not None and looked(found) == looked(second)
    closed = forge.close(second.number)
    assert forge.find(branch, "main") == closed


def test_another_branch_or_base_is_another_pull_request(host: ForgeHost, forge: Forge) -> None:
    one, other = host.push("dispatch/x"), host.push("dispatch/x-y")
    opened = forge.open(one, "main", "t", "b")
    assert forge.find(other, "main") is None
    assert forge.find(one, other) is None
    assert forge.open(one, other, "t", "b").number != opened.number
    found = forge.find(one, "main")
    assert found is not None and found.number == opened.number


def test_a_branch_of_the_same_name_in_a_fork_is_not_ours(host: ForgeHost, forge: Forge) -> None:
    theirs = host.from_fork("dispatch/fork")
    host.push("dispatch/fork")
    assert forge.find("dispatch/fork", "main") is None
    ours = forge.open("dispatch/fork", "main", "t", "b")
    assert ours.number != theirs
    found = forge.find("dispatch/fork", "main")
    assert found is not None and found.number == ours.number


def test_what_is_not_there_is_said(host: ForgeHost, forge: Forge, branch: str) -> None:
    for call in calls(forge):
        with pytest.raises(Terminal) as caught:
            call()
        assert caught.value.reason == Reason.FORGE_DENIED
    with pytest.raises(Terminal) as caught:
        forge.open("nothing", "main", "t", "b")
    assert caught.value.reason == Reason.FORGE_DENIED
    nowhere = forge_of(host, url=host.url.replace("config", "nothing"))
    with pytest.raises(Terminal, match=r"Check spec\.url") as caught:
        nowhere.open(branch, "main", "t", "b")
    assert caught.value.reason == Reason.FORGE_DENIED


def test_a_wrong_token_is_refused_and_not_repeated(host: ForgeHost, branch: str) -> None:
    wrong = secrets.token_hex(20)
    forge = forge_of(host, token=wrong)
    more = [lambda: forge.find(branch, "main"), lambda: forge.open(branch, "main", "t", "b")]
    for call in [*more, *calls(forge, 1)]:
        with pytest.raises(Terminal, match="credentialsRef") as caught:
            call()
        assert caught.value.reason == Reason.FORGE_DENIED
        assert wrong not in trace_of(caught.value)


def test_who_may_only_read_cannot_write(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    reader = forge_of(host, "reader")
    before = host.head("main")
    for call in (
        lambda: reader.merge(opened.number, opened.head_commit, "m"),
        lambda: reader.update(opened.number, "mine", "b"),
        lambda: statuses_of(host, "reader").set(opened.head_commit, "c", "success", "d"),
    ):
        with pytest.raises((Terminal, Blocked)) as caught:
            settled(call)
        assert caught.value.reason in (Reason.FORGE_DENIED, Reason.MERGE_BLOCKED)
    assert host.head("main") == before and host.document(opened.number)[0] == "t"


def test_no_token_is_said_before_anything_is_asked(host: ForgeHost) -> None:
    for token in ("", "\n", "with space\nand line", "ü"):
        with pytest.raises(Terminal, match="there is no token") as caught:
            forge_of(host, token=token)
        assert caught.value.reason == Reason.FORGE_DENIED
