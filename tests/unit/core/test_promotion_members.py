"""Several applications as one release: all of it or nothing, and one application as it always was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.promotion import Candidate, brought, together
from reconciler.core.promotion_decision import Act, decide
from reconciler.core.promotion_facts import Facts, Said
from reconciler.core.promotion_members import Runs, apart, commits, late, ready_together, undeployed, unproven, whole
from reconciler.model.application_status import VetoEntry
from reconciler.model.image import ImageRef
from reconciler.model.promotion import EnvironmentState, PastMerge, PromotionEnvironment, PromotionState
from reconciler.model.pull_request import PullRequest
from strategies.gates import judge
from strategies.gates.earliest import earliest

NOW = datetime(2026, 6, 1, 10, 30, tzinfo=UTC)
IMAGES = st.builds(ImageRef, st.sampled_from(["shop", "till"]), st.sampled_from(["1", "2"]))
PARTS = st.builds(
    Candidate, st.lists(IMAGES, max_size=2).map(tuple), st.dictionaries(st.sampled_from("xy"), st.just(b"1"))
)
SOURCE = PromotionEnvironment.model_validate({"name": "staging", "applications": ["web-staging", "worker-staging"]})
TARGET = PromotionEnvironment.model_validate(
    {"name": "production", "applications": ["web", "worker"], "merge": "Automatic"}
)
TWO = together([("web", Candidate((ImageRef("shop", "2"),))), ("worker", Candidate((ImageRef("till", "5"),)))])


def release(**more: Any) -> Facts:
    """A release of which all is well, and its pull request is open."""
    request = PullRequest(7, "pr/7", "b", "main", "change", "open", author="dispatch")
    known = EnvironmentState(name="production", state=PromotionState.OPEN, number=7, proposed=TWO.id)
    given: dict[str, Any] = {"known": known, "applied": "c", "ready_since": NOW, "candidate": TWO, "forge": True}
    return Facts(SOURCE, TARGET, **{**given, "change": "change", "said": Said(request=request), **more})


@given(PARTS)
def test_one_application_is_promoted_as_it_always_was(part: Candidate) -> None:
    assert together([("web", part)]) is part
    assert part.named == () and part.each(["web"]) == (("web", part),)


@given(PARTS, PARTS)
def test_a_release_is_named_by_what_each_application_gets_in_whatever_order_they_are_told(
    one: Candidate, other: Candidate
) -> None:
    both = together([("web", one), ("worker", other)])
    assert both.id == together([("worker", other), ("web", one)]).id
    assert bool(both) == (bool(one) or bool(other))
    assert set(both.images) == {*one.images, *other.images}
    if (one.images, one.files) != (other.images, other.files):
        same = [[sorted(map(str, each.images)), sorted(each.files)] for each in (one, other)]
        swapped = together([("web", other), ("worker", one)])
        assert (both.id == swapped.id) == (same[0] == same[1])


@given(st.lists(st.text(max_size=3), min_size=1, max_size=4))
def test_the_digest_of_one_is_its_own_and_of_several_that_of_all(digests: list[str]) -> None:
    if len(digests) == 1:
        assert whole(digests) == digests[0]
    elif not all(digests):
        assert whole(digests) == ""
    else:
        assert whole(digests) == sha256("\n".join(digests).encode()).hexdigest()
        assert whole([*digests[:-1], digests[-1] + "x"]) != whole(digests)


RUNS = st.builds(
    lambda commit, minutes, ready: (
        Runs("web", commit, NOW + timedelta(minutes=minutes), NOW + timedelta(minutes=minutes) if ready else None)
        if commit
        else Runs("web")
    ),
    st.sampled_from(["", "a", "b"]),
    st.integers(0, 3),
    st.booleans(),
)


@given(st.lists(RUNS, min_size=1, max_size=4))
def test_all_are_ready_as_late_as_the_last_one_and_not_at_all_while_one_is_not(found: list[Runs]) -> None:
    times = [each.since for each in found]
    ready = ready_together(found)
    assert (ready is None) == (None in times)
    assert ready is None or (ready in times and all(time is not None and time <= ready for time in times))
    assert bool(late(found)) == (ready is None)
    assert set(commits(found)) == {each.commit for each in found if each.commit}


def test_the_commit_that_was_applied_last_comes_first() -> None:
    found = [Runs("web", "a", NOW), Runs("worker", "b", NOW + timedelta(minutes=1)), Runs("job", "a", NOW)]
    assert commits(found) == ("b", "a")


def test_who_keeps_a_release_back_is_named_with_what_to_do() -> None:
    assert undeployed((), ("staging",)) == "staging has deployed nothing yet"
    assert unproven(("staging",), ("staging",)) == "staging is not Ready: nothing is proven there"
    words = unproven(("worker",), ("web", "worker"))
    assert words.startswith("worker is not Ready") and "Nothing of web, worker goes on" in words
    assert "`dispatch get applications worker -o wide`" in words
    ran = [Runs("web", "a" * 40, NOW, NOW), Runs("worker", "b" * 40, NOW, NOW)]
    assert "no commit is run by all (web aaaaaaaaaa, worker bbbbbbbbbb)" in apart(ran)
    assert apart([*ran, Runs("job", "c", NOW)]).startswith("job is not Ready")


def test_a_release_of_which_all_is_well_is_merged() -> None:
    decision = decide(release(), judge, earliest, NOW)
    assert decision.act is Act.MERGE
    assert decision.state.parts == ("web=shop:2", "worker=till:5")
    assert decision.state.images == ("shop:2", "till:5")


@pytest.mark.parametrize(
    ("less", "state", "words"),
    [
        ({"applied": "", "candidate": Candidate(), "late": ("worker-staging",)}, "Waiting", "worker-staging has"),
        ({"ready_since": None, "late": ("worker-staging",)}, "Waiting", "worker-staging is not Ready"),
        ({"applied": "", "candidate": Candidate(), "apart": "no commit is run by all"}, "Waiting", "no commit"),
        (
            {"vetoes": {"worker": [VetoEntry(template="t", images=("till:5",), why="errors", at=NOW)]}},
            "Failed",
            "till:5 was aborted in worker (errors)",
        ),
    ],
    ids=["nothing-deployed", "not-ready", "apart", "vetoed"],
)
def test_one_that_cannot_go_on_holds_all_of_them(less: Mapping[str, Any], state: str, words: str) -> None:
    decision = decide(release(**less), judge, earliest, NOW)
    assert decision.act is Act.NONE
    assert (decision.state.state.value, words in decision.state.message) == (state, True), decision.state.message


def test_an_image_that_was_aborted_in_one_application_may_still_come_to_another_one() -> None:
    vetoes = {"web": [VetoEntry(template="t", images=("till:5",), why="errors", at=NOW)]}
    assert decide(release(vetoes=vetoes), judge, earliest, NOW).act is Act.MERGE


def test_what_is_known_of_the_version_before_stays_while_the_next_one_is_not_there_whole() -> None:
    facts = release(applied="", candidate=Candidate(), apart="no commit is run by all")
    known = facts.known.model_copy(update={"candidate": TWO.id, "proven": NOW, "head": "change"})
    state = decide(release(applied="", candidate=Candidate(), apart="x", known=known), judge, earliest, NOW).state
    assert (state.candidate, state.proven, state.head, state.number) == (TWO.id, NOW, "change", 7)


def test_what_one_application_had_is_not_held_against_another_one() -> None:
    had = brought(("web=shop:1", "worker=shop:2", "worker=till:4"), ("worker=till:5",))
    assert had == ("web=shop:1", "worker=shop:2", "worker=till:5")
    ask = {"change": "", "said": None}
    newer = together([("web", Candidate((ImageRef("shop", "2"),))), ("worker", Candidate())])
    merge = PastMerge(candidate="x", number=7, commit="c0ffee")
    for has, act in ((had, Act.OPEN), ((*had, "web=shop:2"), Act.NONE)):
        known = EnvironmentState(name="production", state=PromotionState.CURRENT, had=has, merged=merge)
        assert decide(release(known=known, candidate=newer, **ask), judge, earliest, NOW).act is Act.ASK
        found = decide(release(known=known, candidate=newer, said=Said()), judge, earliest, NOW)
        assert (found.act, found.state.state is PromotionState.HELD) == (act, act is Act.NONE)
