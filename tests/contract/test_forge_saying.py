"""What Dispatch says at a forge, on all of them: titles, texts, comments and commit statuses, written only where there
is news; and what it reads there of reviews.
"""

from __future__ import annotations

import pytest
from forges.hosts import ForgeHost, branch_of, forge_of, looked, settled, statuses_of

from reconciler.ports import Forge

MARKER = "promotion/team-a/web--production -->"


@pytest.fixture
def host(forge_host: ForgeHost) -> ForgeHost:
    return forge_host


@pytest.fixture
def forge(host: ForgeHost) -> Forge:
    return forge_of(host)


@pytest.fixture
def branch(host: ForgeHost) -> str:
    return branch_of(host)


def test_the_title_and_the_text_are_changed_and_written_only_where_they_differ(
    host: ForgeHost, forge: Forge, branch: str
) -> None:
    opened = forge.open(branch, "main", "t", "b")
    updated = forge.update(opened.number, "Web 2", "Line\n\n- two\n")
    assert looked(updated) == looked(opened._replace(title="Web 2"))
    assert host.document(opened.number)[:2] == ("Web 2", "Line\n\n- two\n")
    before = host.trace(opened.number, opened.head_commit)
    assert forge.update(opened.number, "Web 2", "Line\r\n\r\n- two").title == "Web 2"
    assert host.trace(opened.number, opened.head_commit) == before


def test_long_texts_are_cut_and_say_so(host: ForgeHost, forge: Forge, branch: str) -> None:
    long = "".join(f"line {number}\n" for number in range(150_000))
    opened = forge.open(branch, "main", "t" * 1000, f"<details>\n```\n{long}```\n</details>")
    assert opened.state == "open"
    forge.comment(opened.number, "m", long)
    for text in (host.document(opened.number)[1], host.comments(opened.number)[0][1]):
        assert len(text) < len(long) and "This text is cut here" in text.splitlines()[-1]


def test_a_comment_is_written_once_and_changed_in_place(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    host.say(opened.number, "First!")
    forge.comment(opened.number, MARKER, "One")
    forge.comment(opened.number, "another", "Other")
    forge.comment(opened.number, MARKER, "**Two**")
    said = host.comments(opened.number)
    assert [who for who, _ in said] == [host.names["reviewer"], host.names["bot"], host.names["bot"]]
    line, _, text = said[1][1].partition("\n")
    assert text == "**Two**" and line.startswith("<!-- ") and line.index("-->") == len(line) - 3
    before = host.trace(opened.number, opened.head_commit)
    forge.comment(opened.number, MARKER, "**Two**")
    assert host.trace(opened.number, opened.head_commit) == before


def test_a_comment_of_somebody_else_with_the_marker_is_not_ours(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    forge.comment(opened.number, MARKER, "Approved by nobody")
    ours = host.comments(opened.number)[0][1]
    other = forge.open(host.push("dispatch/other"), "main", "t", "b")
    host.say(other.number, ours)
    forge.comment(other.number, MARKER, "Ours")
    assert [text for _, text in host.comments(other.number)] == [ours, ours.replace("Approved by nobody", "Ours")]


def test_reviews_say_who_and_what_and_of_which_commit(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    assert settled(lambda: forge.reviews(opened.number)) == []
    host.review(opened.number, "approved")
    (review,) = settled(lambda: forge.reviews(opened.number))
    assert (review.user, review.state, review.official) == (host.names["reviewer"], "approved", True)
    assert review.commit == opened.head_commit
    assert review.at is None or review.at.tzinfo is not None
    host.review(opened.number, "rejected")
    assert "rejected" in [each.state for each in settled(lambda: forge.reviews(opened.number))]


def test_a_review_stays_with_the_commit_that_it_was_given_to(host: ForgeHost, forge: Forge, branch: str) -> None:
    opened = forge.open(branch, "main", "t", "b")
    host.review(opened.number, "approved")
    host.push(branch)
    assert forge.read(opened.number).head_commit != opened.head_commit
    (review,) = settled(lambda: forge.reviews(opened.number))
    assert review.commit == opened.head_commit


@pytest.mark.parametrize("state", ["pending", "success", "failure", "error"])
def test_a_status_is_written_once(host: ForgeHost, branch: str, state: str) -> None:
    statuses, commit = statuses_of(host), str(host.head(branch))
    opened = forge_of(host).open(branch, "main", "t", "b")
    assert statuses.read(commit) == {}
    for _ in range(3):
        statuses.set(commit, "dispatch/soak", state, "x" * 300, "https://example.com/a")
        statuses.set(commit, "dispatch/freeze", "success", "open")
        before = host.trace(opened.number, commit)
    assert host.trace(opened.number, commit) == before
    # GitLab knows no error.
    told = "failure" if (state, host.kind) == ("error", "gitlab") else state
    assert statuses.read(commit) == {"dispatch/soak": told, "dispatch/freeze": "success"}


def test_the_newest_status_counts(host: ForgeHost, branch: str) -> None:
    statuses, commit = statuses_of(host), str(host.head(branch))
    for state in ("pending", "failure", "pending", "success", "failure", "success"):
        statuses.set(commit, "dispatch/soak", state, state)
        assert statuses.read(commit) == {"dispatch/soak": state}
    statuses.set(commit, "dispatch/soak", "pending", "again")
    statuses.set(commit, "dispatch/soak", "pending", "with other words")
    assert statuses.read(commit) == {"dispatch/soak": "pending"}


def test_many_statuses_are_all_read(host: ForgeHost, branch: str) -> None:
    statuses, commit = statuses_of(host), str(host.head(branch))
    for number in range(120 if host.kind != "gitea" else 55):
        statuses.set(commit, f"ci/{number}", "success", "good")
    assert len(statuses.read(commit)) == (120 if host.kind != "gitea" else 55)
