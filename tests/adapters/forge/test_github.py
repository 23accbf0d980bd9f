"""The traps of GitHub's API, against a server that has them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forges.hosts import TOKENS, GitHubHost, branch_of, forge_of, settled, statuses_of
from forges.server import Asked, Reply

from reconciler.adapters import http
from reconciler.model.outcome import Blocked, Reason, Terminal, Transient
from reconciler.ports import Forge


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubHost]:
    monkeypatch.setattr(http, "_wait", lambda times: 0.0)
    made = GitHubHost(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def forge(host: GitHubHost) -> Forge:
    return forge_of(host)


def test_a_head_is_asked_for_with_its_owner_and_other_branches_are_not_taken_for_it(
    host: GitHubHost, forge: Forge
) -> None:
    other = forge.open(host.push("dispatch/b"), "main", "t", "b")
    assert forge.find(host.push("dispatch/a"), "main") is None
    found = forge.find("dispatch/b", "main")
    assert found is not None and found.number == other.number


def test_a_token_that_may_not_read_the_organization_is_told_the_scope(host: GitHubHost, forge: Forge) -> None:
    team = host.team("bot", "reviewer")
    host.teams.lacks_scope()
    with pytest.raises(Terminal, match=rf"does not let the token read team {team}: Resource not accessible") as caught:
        forge.members(team)
    assert "`read:org`; a fine-grained token and a GitHub App need Members: read" in caught.value.message


def test_a_branch_that_has_nothing_to_merge_is_no_pull_request_that_exists(host: GitHubHost, forge: Forge) -> None:
    host.bare.upstream.git("update-ref", "refs/heads/dispatch/a", str(host.head("main")))
    with pytest.raises(Terminal, match="No commits between main and dispatch/a") as caught:
        forge.open("dispatch/a", "main", "t", "b")
    assert caught.value.reason == Reason.FORGE_DENIED


def test_what_github_is_still_looking_at_is_neither_mergeable_nor_not(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    assert opened.mergeable is None
    assert [forge.read(opened.number).mergeable for _ in range(2)] == [True, True]
    host.push("dispatch/c", file="README.md")
    conflict = forge.open("dispatch/c", "main", "t", "b")
    host.push("main", file="README.md")
    assert forge.read(conflict.number).mergeable is False


def test_a_head_that_moves_while_it_is_merged_is_refused_by_github_itself(host: GitHubHost, forge: Forge) -> None:
    branch = branch_of(host)
    opened = forge.open(branch, "main", "t", "b")

    def moves(asked: Asked) -> None:
        if asked.path.endswith("/merge"):
            host.push(branch)

    host.server.before = moves
    before = host.head("main")
    with pytest.raises(Transient) as caught:
        settled(lambda: forge.merge(opened.number, opened.head_commit, "m"))
    assert caught.value.reason == Reason.CONFLICT and host.head("main") == before


def test_a_base_that_moved_meanwhile_is_no_moved_head_and_is_asked_again_soon(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    forge.read(opened.number)
    words = {"message": "Base branch was modified. Review and try the merge again."}
    host.server.bad = lambda asked: Reply(405, words) if asked.path.endswith("/merge") else None
    with pytest.raises(Blocked, match="Base branch was modified") as caught:
        forge.merge(opened.number, opened.head_commit, "m")
    assert caught.value.wait == 10


def test_a_branch_that_only_a_merge_queue_may_write_is_said_and_asked_again_without_hurry(
    host: GitHubHost, forge: Forge
) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    assert [forge.read(opened.number).mergeable for _ in range(2)][-1] is True
    words = {"message": "Repository rule violations found\n\nChanges must be made through the merge queue\n\n"}
    host.server.bad = lambda asked: Reply(405, words) if asked.path.endswith("/merge") else None
    with pytest.raises(Blocked, match="Changes must be made through the merge queue") as caught:
        forge.merge(opened.number, opened.head_commit, "m")
    assert caught.value.wait == 60


def test_a_draft_is_said_to_be_one(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.server.pulls[opened.number].draft = True
    assert forge.read(opened.number).draft
    with pytest.raises(Blocked, match="it is a draft"):
        forge.merge(opened.number, opened.head_commit, "m")


@pytest.mark.parametrize("setting", ["allow_merge_commit", "allow_squash_merge", "allow_rebase_merge"])
def test_a_repository_is_merged_in_the_way_that_it_allows(host: GitHubHost, forge: Forge, setting: str) -> None:
    host.server.settings = {name: name == setting for name in host.server.settings}
    opened = forge.open(branch_of(host), "main", "t", "b")
    assert settled(lambda: forge.merge(opened.number, opened.head_commit, "m")).merge_commit == host.head("main")


def test_a_branch_that_somebody_wrote_to_after_the_merge_is_kept(host: GitHubHost, forge: Forge) -> None:
    branch = branch_of(host)
    opened = forge.open(branch, "main", "t", "b")

    def writes(asked: Asked) -> None:
        if "/git/ref/" in asked.path:
            host.push(branch)

    host.server.before = writes
    assert settled(lambda: forge.merge(opened.number, opened.head_commit, "m")).state == "merged"
    assert host.head(branch) is not None


def test_a_rule_that_keeps_the_branch_does_not_fail_the_merge(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.server.bad = lambda asked: Reply(403, {"message": "no"}) if asked.method == "DELETE" else None
    assert settled(lambda: forge.merge(opened.number, opened.head_commit, "m")).state == "merged"


def test_only_who_may_write_is_official(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    reader = host.server.accounts[TOKENS["reader"]]
    stranger = reader._replace(name="stranger")
    for who, state in (
        (reader, "APPROVED"),
        (stranger, "APPROVED"),
        (None, "APPROVED"),
        (host.server.accounts[TOKENS["reviewer"]], "DISMISSED"),
        (reader, "PENDING"),
        (reader, "COMMENTED"),
    ):
        host.server.review(opened.number, who, state)
    found = forge.reviews(opened.number)
    assert [(each.state, each.official) for each in found] == [
        ("approved", False),
        ("approved", False),
        ("approved", False),
        ("dismissed", True),
        ("pending", False),
        ("commented", False),
    ]
    assert [each.user for each in found[:3]] == [reader.name, "stranger", ""] and found[4].at is None


def test_a_hundred_and_more_reviews_are_all_read(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    for _ in range(230):
        host.review(opened.number, "approved")
    host.review(opened.number, "rejected")
    found = forge.reviews(opened.number)
    assert len(found) == 231 and found[-1].state == "rejected"
    host.server.pulls[opened.number].reviews *= 20
    with pytest.raises(Transient, match="nothing is decided on a part"):
        forge.reviews(opened.number)


def test_check_runs_are_among_the_statuses_and_the_worse_one_counts(host: GitHubHost) -> None:
    commit, statuses = str(host.head(branch_of(host))), statuses_of(host)
    for name, status, conclusion in (
        ("build", "completed", "success"),
        ("lint", "completed", "neutral"),
        ("test", "completed", "timed_out"),
        ("scan", "in_progress", None),
        ("old", "completed", "stale"),
        ("new", "completed", "something_new"),
    ):
        run = {"name": name, "status": status, "conclusion": conclusion, "head_sha": commit}
        host.server.checks.append(run)
    statuses.set(commit, "build", "failure", "no")
    assert statuses.read(commit) == {
        "build": "failure",
        "lint": "success",
        "test": "failure",
        "scan": "pending",
        "old": "error",
        "new": "failure",
    }
    host.server.bad = lambda asked: Reply(403, {"message": "no"}) if "check-runs" in asked.path else None
    assert statuses.read(commit) == {"build": "failure"}


def test_what_has_not_changed_costs_nothing(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.review(opened.number, "approved")
    forge.read(opened.number)
    first = (forge.read(opened.number), forge.reviews(opened.number))
    before, asked = host.server.unchanged, len(host.server.seen)
    assert (forge.read(opened.number), forge.reviews(opened.number)) == first
    assert host.server.unchanged - before == len(host.server.seen) - asked == 3
    host.review(opened.number, "rejected")
    assert len(forge.reviews(opened.number)) == 2


@pytest.mark.parametrize(
    ("reply", "wish"),
    [
        (Reply(429, {"message": "slow down"}, {"Retry-After": "90"}), 90),
        (Reply(403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "90"}), 90),
        (Reply(403, {"message": "You have exceeded a secondary rate limit."}), 60),
        (Reply(503, {"message": "no"}, {"Retry-After": "90"}), 90),
    ],
)
def test_a_limit_is_waited_for_and_no_lost_right(host: GitHubHost, forge: Forge, reply: Reply, wish: float) -> None:
    host.server.bad = lambda asked: reply
    with pytest.raises(Transient) as caught:
        forge.read(1)
    assert caught.value.reason == Reason.FORGE_UNREACHABLE and caught.value.retry_after == wish


def test_a_used_up_limit_is_waited_for_until_it_begins_anew(host: GitHubHost, forge: Forge) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 600)}
    host.server.bad = lambda asked: Reply(403, {"message": "API rate limit exceeded for user ID 1."}, headers)
    with pytest.raises(Transient) as caught:
        forge.read(1)
    assert caught.value.retry_after is not None and 580 < caught.value.retry_after <= 600


def test_a_token_that_lost_its_right_to_see_the_repository_is_told(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.server.accounts[TOKENS["bot"]] = host.server.accounts[TOKENS["bot"]]._replace(right="none")
    with pytest.raises(Terminal, match="when the token may not see it") as caught:
        forge.read(opened.number)
    assert caught.value.reason == Reason.FORGE_DENIED


def test_a_slow_server_is_waited_for_and_one_that_is_too_slow_is_not(host: GitHubHost, forge: Forge) -> None:
    opened = forge.open(branch_of(host), "main", "t", "b")
    host.server.slow = 0.3
    assert forge.read(opened.number).state == "open"
