"""The words of git and the forges for a ref that was not moved, and what is made of them."""

from __future__ import annotations

import pytest

from reconciler.adapters.git.address import check
from reconciler.adapters.git.failure import explain as explain_failure
from reconciler.adapters.git.pushing import explain
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

ADDRESS = check("https://git.example.com/team/app.git", allow_file=False)
OLD = "0123456789abcdef0123456789abcdef01234567"


def outcome(who: str, why: str, said: str = "", expected: str | None = OLD) -> StageError:
    return explain(ADDRESS, "refs/heads/main", expected, who, why, said)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("rejected", "stale info"),
        ("rejected", "fetch first"),
        ("rejected", "non-fast-forward"),
        ("rejected", "remote ref updated since checkout"),
        ("rejected", "new shallow roots not allowed"),
        ("remote rejected", "shallow update not allowed"),
        ("remote rejected", f"cannot lock ref 'refs/heads/main': is at {OLD[::-1]} but expected {OLD}"),
        ("remote rejected", "failed to update ref"),
        ("remote rejected", "reference already exists"),
        ("remote rejected", "incorrect old value provided"),
    ],
)
def test_a_ref_that_moved_is_a_conflict(who: str, why: str) -> None:
    found = outcome(who, why)
    assert isinstance(found, Transient) and found.reason == Reason.CONFLICT
    assert "refs/heads/main of https://git.example.com/team/app.git" in found.message
    assert "It is read again." in found.message


@pytest.mark.parametrize(
    ("why", "said", "words"),
    [
        (
            "protected branch hook declined",
            "remote: error: GH006: Protected branch update failed for refs/heads/main.        \n"
            'remote: error: Required status check "ci" is expected.        \nTo https://git.example.com/team/app.git\n',
            'GH006: Protected branch update failed for refs/heads/main. Required status check "ci" is expected.',
        ),
        (
            "pre-receive hook declined",
            "remote: GitLab: You are not allowed to push code to protected branches on this project.\nerror: failed",
            ": GitLab: You are not allowed to push code to protected branches on this project. Allow it",
        ),
        (
            "pre-receive hook declined",
            "remote: \nremote: Gitea: Not allowed to push to protected branch main        \nremote: \n",
            ": Gitea: Not allowed to push to protected branch main. Allow it",
        ),
        (
            "pre-receive hook declined",
            "remote: The check of the policy timed out\n",
            "The check of the policy timed out.",
        ),
        ("deny updating a hidden ref", "", "deny updating a hidden ref."),
        ("branch is currently checked out", "", "branch is currently checked out."),
        ("unable to migrate objects to permanent storage", "remote: error: insufficient permission", "permission"),
    ],
)
def test_a_ref_that_may_not_be_written_is_said_in_the_hosts_words(why: str, said: str, words: str) -> None:
    found = outcome("remote rejected", why, said)
    assert isinstance(found, Terminal) and found.reason == Reason.SOURCE_DENIED
    assert words in found.message


@pytest.mark.parametrize(
    ("who", "why", "said"),
    [
        ("remote failure", "remote failed to report status", ""),
        ("remote rejected", "unpacker error", "remote: fatal: write error: No space left on device"),
        ("remote rejected", "pre-receive hook declined", "remote: Gitea: Internal Server Error"),
        ("remote rejected", "Internal Server Error", ""),
    ],
)
def test_a_host_that_is_broken_is_tried_again(who: str, why: str, said: str) -> None:
    found = outcome(who, why, said)
    assert isinstance(found, Transient) and found.reason == Reason.SOURCE_UNREACHABLE
    assert "It is tried again." in found.message


def test_a_ref_whose_place_another_has_is_not_tried_for_ever() -> None:
    found = outcome("remote rejected", "cannot lock ref 'refs/a/b': 'refs/a' exists; cannot create 'refs/a/b'")
    assert isinstance(found, Terminal) and "Delete the ref" in found.message


def test_what_a_terminal_would_obey_is_left_out_and_the_words_are_cut() -> None:
    found = outcome("remote rejected", "declined", f"remote: \x1b[31mno\x07 {'x' * 1000}\n")
    assert "\x1b" not in found.message and len(found.message) < 600


@pytest.mark.parametrize(
    "said",
    [
        "fatal: unable to access 'https://git.example.com/team/app.git/': The requested URL returned error: 403",
        "ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could not read from remote "
        "repository.",
        "remote: You are not allowed to push code to this project.\nfatal: unable to access 'x': error: 403",
        "ERROR: Permission to team/app.git denied to bot.",
    ],
)
def test_who_may_not_write_at_all_is_told_to_ask_for_that_right(said: str) -> None:
    found = explain_failure(ADDRESS, said, "write to")
    assert isinstance(found, Terminal) and found.reason == Reason.SOURCE_DENIED
    assert found.message.startswith("cannot write to https://git.example.com/team/app.git: ")
    assert found.message.endswith("be allowed to write to this repository.")
