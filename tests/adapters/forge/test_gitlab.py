"""The traps of GitLab's API, against a server that has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from forges.hosts import TOKENS, GitLabHost, branch_of, forge_of, settled, statuses_of
from forges.server import Reply

from reconciler.adapters import http
from reconciler.model.outcome import Blocked, Reason, Terminal, Transient
from reconciler.ports import Forge


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitLabHost]:
    monkeypatch.setattr(http, "_wait", lambda times: 0.0)
    made = GitLabHost(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def forge(host: GitLabHost) -> Forge:
    return forge_of(host)


def test_a_merge_that_is_only_planned_is_no_merge(host: GitLabHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.server.behind_pipeline = True
    before = host.head("main")
    forge.read(opened.number)
    with pytest.raises(Blocked, match="merges it when its pipeline lets it") as caught:
        forge.merge(opened.number, opened.head_commit, "m")
    assert caught.value.reason == Reason.MERGE_BLOCKED and host.head("main") == before


def test_a_token_that_may_not_read_the_group_is_told_the_scope(host: GitLabHost, forge: Forge) -> None:
    team = host.team("bot", "reviewer")
    host.teams.lacks_scope()
    with pytest.raises(Terminal, match=rf"does not let the token read group {team}: insufficient_scope") as caught:
        forge.members(team)
    assert "It must be allowed `read_api`, and its account must be at least a guest" in caught.value.message


def test_who_is_blocked_is_in_no_group(host: GitLabHost, forge: Forge) -> None:
    team = host.team("bot", "reviewer")
    host.teams.blocked.add(host.server.accounts[TOKENS["reviewer"]])
    assert forge.members(team) == {host.names["bot"]}


def test_a_fast_forward_brings_the_head_itself(host: GitLabHost, forge: Forge) -> None:
    host.server.fast_forward = True
    opened = forge.open(branch_of(host), "main", "t", "b")
    merged = settled(lambda: forge.merge(opened.number, opened.head_commit, "m"))
    assert merged.merge_commit == opened.head_commit == host.head("main")


def test_a_merge_without_the_right_is_no_unknown_token(host: GitLabHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    with pytest.raises(Terminal, match="does not let the token merge") as caught:
        forge_of(host, "reader").merge(opened.number, opened.head_commit, "m")
    assert caught.value.reason == Reason.FORGE_DENIED
    with pytest.raises(Terminal, match="does not know the token"):
        forge_of(host, token="wrong").merge(opened.number, opened.head_commit, "m")


def test_a_status_that_is_not_known_is_not_mergeable(
    host: GitLabHost, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    assert opened.mergeable is None
    assert forge.read(opened.number).mergeable is True
    told = {
        "approvals_syncing": None,
        "unchecked": None,
        "preparing": None,
        "ci_must_pass": False,
        "of_tomorrow": False,
    }
    for status, mergeable in told.items():
        monkeypatch.setattr(host.server, "_status", lambda pull, look=False, status=status: status)
        assert forge.read(opened.number).mergeable is mergeable
    with pytest.raises(Blocked, match="GitLab says of_tomorrow of it") as caught:
        forge.merge(opened.number, opened.head_commit, "m")
    assert caught.value.wait == 60


def test_approvals_are_not_believed_while_gitlab_works_on_a_push(host: GitLabHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.review(opened.number, "approved")
    host.server.pulls[opened.number].looks = 1
    with pytest.raises(Transient, match="may be of the commit before") as caught:
        forge.reviews(opened.number)
    assert caught.value.retry_after == 10
    (review,) = forge.reviews(opened.number)
    assert review.commit == opened.head_commit and review.at is not None


def test_an_approval_is_of_the_version_that_was_there_at_its_time(host: GitLabHost, forge: Forge) -> None:
    branch = branch_of(host)
    opened = forge.open(branch, "main", "t", "b")
    host.review(opened.number, "approved")
    host.push(branch)
    settled(lambda: forge.reviews(opened.number))
    host.server.review(opened.number, host.server.accounts[TOKENS["bot"]], "approved")
    newer = forge.read(opened.number).head_commit
    reviews = forge.reviews(opened.number)
    assert [(each.user, each.commit) for each in reviews] == [
        (host.names["reviewer"], opened.head_commit),
        (host.names["bot"], newer),
    ]
    # One that came before its version is of the version before, or of none.
    host.server.pulls[opened.number].reviews[1]["at"] = "2026-11-26T09:59:59.000Z"
    assert forge.reviews(opened.number)[0].commit == ""


def test_an_older_gitlab_does_not_say_when_somebody_approved(host: GitLabHost, forge: Forge) -> None:
    host.server.approved_at = False
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.review(opened.number, "approved")
    (review,) = settled(lambda: forge.reviews(opened.number))
    assert (review.state, review.at, review.commit) == ("approved", None, "")


def test_a_note_of_the_system_is_no_comment(host: GitLabHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    forge.comment(opened.number, "m", "One")
    pull = host.server.pulls[opened.number]
    pull.comments[0]["system"] = True
    forge.comment(opened.number, "m", "Two")
    assert len(pull.comments) == 2


def test_a_comment_is_found_behind_hundreds_of_notes(host: GitLabHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    for number in range(250):
        host.say(opened.number, f"note {number}")
    for text in ("One", "Two"):
        forge.comment(opened.number, "m", text)
    assert [who for who, _ in host.comments(opened.number)].count(host.names["bot"]) == 1


def test_jobs_of_pipelines_are_read_and_the_newest_of_a_name_counts(host: GitLabHost) -> None:
    commit, statuses = str(host.head(branch_of(host))), statuses_of(host)
    rows = [("build", "failed", 9), ("build", "success", 10), ("test", "running", 1), ("scan", "canceled", 2)]
    for name, status, number in [*rows, ("old", "success", 4), ("old", "failed", 3), ("by-hand", "manual", 5)]:
        host.server.statuses.append({"id": number, "sha": commit, "name": name, "status": status})
    assert statuses.read(commit) == {
        "build": "success",
        "test": "pending",
        "scan": "error",
        "old": "success",
        "by-hand": "pending",
    }


def test_another_bad_request_about_a_status_is_told(host: GitLabHost) -> None:
    commit = str(host.head(branch_of(host)))
    host.server.bad = lambda asked: Reply(400, {"message": "state is invalid"}) if asked.method == "POST" else None
    with pytest.raises(Terminal, match="state is invalid"):
        statuses_of(host).set(commit, "c", "success", "d")


def test_a_project_some_groups_deep_is_one_segment(host: GitLabHost, forge: Forge) -> None:
    forge.open(branch_of(host), "main", "t", "b")
    assert all("/projects/team%2Fweb%2Fconfig/" in each for each in host.server.seen)


def test_a_limit_is_waited_for(host: GitLabHost, forge: Forge) -> None:
    host.server.bad = lambda asked: Reply(429, {"message": {"error": "Too many requests."}}, {"Retry-After": "90"})
    with pytest.raises(Transient, match="Too many requests") as caught:
        forge.read(1)
    assert caught.value.retry_after == 90


def test_a_token_of_too_narrow_a_scope_is_told(host: GitLabHost, forge: Forge) -> None:
    body = {"error": "insufficient_scope", "error_description": "The request requires higher privileges."}
    host.server.bad = lambda asked: Reply(403, body)
    with pytest.raises(Terminal, match="insufficient_scope: The request requires higher privileges") as caught:
        forge.read(1)
    assert caught.value.reason == Reason.FORGE_DENIED
    assert TOKENS["bot"] not in caught.value.message
