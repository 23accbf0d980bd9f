"""A pull request of a forge, and what people said of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

_SPEAKS_LAST = frozenset({"approved", "rejected", "dismissed"})
"""What changes the mind of a reviewer; a comment does not, and a pending review is not given yet."""


class PullRequest(NamedTuple):
    """A request to merge the branch `head` into `base`. `state` is `open`, `closed` or `merged`; `head_commit` is what
    the branch holds now, `merge_commit` what `base` got, empty while it is not merged; `merged_by` the account that
    merged it (empty where the forge does not say), `merged_at` when.

    `mergeable` is whether it goes into `base` without a conflict, and where the forge knows more, whether its rules let
    it; None while the forge is still looking, and for one that is not open. `changes` is the page of its changed files.
    """

    number: int
    url: str
    head: str
    base: str
    head_commit: str
    state: str
    merge_commit: str = ""
    author: str = ""
    title: str = ""
    mergeable: bool | None = None
    draft: bool = False
    merged_by: str = ""
    merged_at: datetime | None = None
    changes: str = ""


class Review(NamedTuple):
    """What somebody said of a pull request. `state` is approved, rejected, commented, dismissed or pending.

    `commit` is the head that was reviewed; empty where nothing tells it (GitLab before 18), and then nobody knows which
    commit was approved. `at` is None where the forge does not say when. `official`: the forge takes the word of this
    user about merging here, because they may write to the repository or its rules name them.
    """

    user: str
    state: str
    commit: str
    at: datetime | None
    official: bool


def last_words(reviews: Iterable[Review], author: str) -> list[Review]:
    """What each reviewer thinks now, in the order of their names; whoever opened the pull request is none of them.
    `reviews` are the oldest first."""
    last = {each.user: each for each in reviews if each.state in _SPEAKS_LAST}
    return [each for user, each in sorted(last.items()) if user != author]
