"""What a revision means, and which names git allows."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.git.refs import is_ref, resolve
from reconciler.model.outcome import Reason, Terminal

A, B = "a" * 40, "b" * 40


def test_a_branch_wins_over_a_tag_of_the_same_name() -> None:
    refs = {"refs/tags/v1": A, "refs/heads/v1": B}
    assert resolve("v1", refs) == B
    assert resolve("refs/tags/v1", refs) == A


def test_a_whole_commit_id_is_itself() -> None:
    assert resolve(A, {}) == A
    assert resolve("c" * 64, {}) == "c" * 64


@pytest.mark.parametrize(
    ("revision", "hint"),
    [
        ("mian", "Did you mean the branch 'main'?"),
        ("v1.0", "Did you mean the tag 'v1.0.0'?"),
        ("refs/heads/mainn", "Did you mean the branch 'main'?"),
        ("quite-different", "There are: main, v1.0.0."),
        ("abcdef12", "write all of its 40 digits"),
        ("-x", "cannot be the name of a branch or a tag"),
        ("a b", "cannot be the name of a branch or a tag"),
        ("", "cannot be the name of a branch or a tag"),
    ],
)
def test_a_missing_revision_gets_a_hint(revision: str, hint: str) -> None:
    with pytest.raises(Terminal) as caught:
        resolve(revision, {"HEAD": A, "refs/heads/main": A, "refs/tags/v1.0.0": B})
    assert hint in caught.value.message
    assert caught.value.reason == Reason.REF_NOT_FOUND


def _git_allows(name: str) -> bool:
    command = ["git", "check-ref-format", f"refs/heads/{name}"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


AWKWARD = ["@", "a@{b", "a..b", ".a", "a/.b", "a.lock", "a.lock/b", "a/", "a.", "a//b", "a\\b", "a~1", "ä", "a.b", "@a"]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_branch_name_is_judged_as_git_judges_it(name: str) -> None:
    # Alone "@" is another way to write HEAD, so that we refuse it though refs/heads/@ could exist.
    assert is_ref(name) == (_git_allows(name) and name != "@")


@given(st.text("ab./@{~^:?*[\\-lock \x7f\n", min_size=1, max_size=8).filter(lambda name: name[0] != "-"))
def test_no_name_that_git_refuses_is_accepted(name: str) -> None:
    if is_ref(name):
        assert _git_allows(name)
