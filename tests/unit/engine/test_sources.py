"""What counts as news of a remote."""

from __future__ import annotations

import pytest

from reconciler.engine.keys import Key
from reconciler.engine.sources import Seen, Sources
from reconciler.model.outcome import Reason, Transient
from reconciler.ports import Remote

KEY = Key("Repository", "team-a", "config")
REMOTE = Remote("https://git.example.com/config.git", None, 60)
REFS = {"HEAD": "1", "refs/heads/main": "1", "refs/dispatch/state/main/team-a/web": "2"}


@pytest.fixture
def sources() -> Sources:
    made = Sources()
    assert made.put(KEY, Seen(REMOTE, REFS))
    return made


def test_the_same_again_is_no_news(sources: Sources) -> None:
    assert not sources.put(KEY, Seen(REMOTE, dict(REFS)))


@pytest.mark.parametrize(
    "refs", [{**REFS, "refs/heads/main": "3"}, {**REFS, "refs/heads/new": "1"}, {"refs/heads/main": "1"}, {}]
)
def test_a_branch_that_moved_came_or_went_is_news(sources: Sources, refs: dict[str, str]) -> None:
    assert sources.put(KEY, Seen(REMOTE, refs))


@pytest.mark.parametrize("own", [{}, {"refs/dispatch/state/main/team-a/web": "9", "refs/dispatch/state/x/y/z": "1"}])
def test_what_dispatch_itself_wrote_is_no_news_but_is_known(sources: Sources, own: dict[str, str]) -> None:
    refs = {ref: commit for ref, commit in REFS.items() if not ref.startswith("refs/dispatch/")} | own
    assert not sources.put(KEY, Seen(REMOTE, refs))
    seen = sources.get(KEY)
    assert seen is not None and seen.refs == refs


def test_another_remote_and_the_begin_and_end_of_trouble_are_news(sources: Sources) -> None:
    trouble = Transient(Reason.SOURCE_UNREACHABLE, "gone")
    assert sources.put(KEY, Seen(REMOTE, REFS, trouble))
    assert not sources.put(KEY, Seen(REMOTE, REFS, trouble))
    assert sources.put(KEY, Seen(REMOTE, REFS))
    assert sources.put(KEY, Seen(REMOTE._replace(timeout=1), REFS))


def test_a_branch_that_dispatch_moved_is_doubted_until_it_was_seen_somewhere_else(sources: Sources) -> None:
    sources.doubt(KEY, "refs/heads/main", "1")
    assert sources.doubted(KEY)
    sources.put(KEY, Seen(REMOTE, {**REFS, "refs/heads/other": "7"}))
    assert sources.doubted(KEY)
    sources.put(KEY, Seen(REMOTE, {**REFS, "refs/heads/main": "2"}))
    assert not sources.doubted(KEY)


def test_a_branch_that_somebody_set_back_is_not_doubted_for_ever(sources: Sources) -> None:
    sources.doubt(KEY, "refs/heads/main", "1")
    failed = Transient(Reason.SOURCE_UNREACHABLE, "no answer")
    for _ in range(5):
        sources.put(KEY, Seen(REMOTE, REFS, failed))
    assert sources.doubted(KEY)
    for _ in range(2):
        sources.put(KEY, Seen(REMOTE, REFS))
    assert not sources.doubted(KEY)
