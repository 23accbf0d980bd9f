"""What came of a merge: as expected, past closed gates, or of something else than was proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.landing import Landed, closed_then, reviews_until, said, tainted, verdict_of
from reconciler.core.promotion import Candidate, brought, same_images
from reconciler.core.promotion_decision import Act, Decision, decide
from reconciler.core.promotion_facts import Facts, Said
from reconciler.model.image import ImageRef
from reconciler.model.promotion import (
    EnvironmentState,
    GateState,
    MergeVerdict,
    PastMerge,
    PromotionEnvironment,
    PromotionState,
)
from reconciler.model.pull_request import PullRequest, Review
from reconciler.ports import Team
from strategies.gates import judge
from strategies.gates.earliest import earliest

NOW = datetime(2026, 6, 1, 10, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
SOURCE = PromotionEnvironment.model_validate({"name": "staging", "application": "staging"})
TWO = Candidate((ImageRef("shop", "2"),))


def decided(facts: Facts, now: datetime) -> Decision:
    return decide(facts, judge, earliest, now)


def target(**more: Any) -> PromotionEnvironment:
    return PromotionEnvironment.model_validate({"name": "production", "application": "production", **more})


def request(state: str = "merged", by: str = "ada", head: str = "change", **more: Any) -> PullRequest:
    at = NOW if state == "merged" else None
    done: dict[str, Any] = {"merge_commit": "c0ffee", "merged_by": by, "merged_at": at}
    return PullRequest(7, "pr/7", "b", "main", head, state, author="dispatch", **done, **more)


def known(**more: Any) -> EnvironmentState:
    given = {"number": 7, "proposed": TWO.id, "candidate": TWO.id, "images": ("shop:2",), "head": "change"}
    return EnvironmentState(name="production", state=PromotionState.OPEN, **{**given, **more})


def landed(to: PromotionEnvironment, landed: Landed, merge: PullRequest, **more: Any) -> PastMerge:
    """What is recorded once the environment has it."""
    facts = Facts(
        SOURCE, to, known(), "c", NOW, forge=True, shared=("shop:2",), said=Said(merge, landed=landed), **more
    )
    merged = decided(facts, NOW).state.merged
    assert merged is not None
    return merged


@pytest.mark.parametrize(
    ("closed", "ours", "proposed", "merged", "verdict"),
    [
        ((), False, "a", "a", MergeVerdict.EXPECTED),
        (("hold",), False, "a", "a", MergeVerdict.OVERRIDE),
        (("hold",), True, "a", "a", MergeVerdict.EXPECTED),
        ((), True, "a", "b", MergeVerdict.UNREVIEWED),
        (("hold",), False, "a", "b", MergeVerdict.UNREVIEWED),
        ((), False, "", "a", MergeVerdict.UNREVIEWED),
        ((), False, "", "", MergeVerdict.UNREVIEWED),
    ],
)
def test_a_merge_is_judged_by_what_the_environment_renders_and_then_by_its_gates(
    closed: tuple[str, ...], ours: bool, proposed: str, merged: str, verdict: MergeVerdict
) -> None:
    assert verdict_of(closed, ours, proposed, merged) is verdict


def test_an_approval_counts_for_a_merge_if_it_was_given_before() -> None:
    to, digests = target(gates=[{"approvals": {}}]), ("a", "a")
    before, after = (Review("bob", "approved", "change", NOW + timedelta(seconds=s), True) for s in (-1, 1))
    assert landed(to, Landed(*digests, [before]), request()).verdict is MergeVerdict.EXPECTED
    merge = landed(to, Landed(*digests, [after]), request())
    assert (merge.verdict, merge.closed, merge.by) == (MergeVerdict.OVERRIDE, ("approvals",), "ada")


def test_the_word_of_a_team_counts_for_a_merge_by_hand() -> None:
    to, said = target(gates=[{"approvals": {"teams": ["acme/ops"]}}]), [Review("bob", "approved", "change", NOW, True)]
    for team, verdict in (
        (Team(frozenset({"bob"})), MergeVerdict.EXPECTED),
        (Team(frozenset({"cyd"})), MergeVerdict.OVERRIDE),
        (Team(problem="the forge says no"), MergeVerdict.OVERRIDE),
    ):
        assert landed(to, Landed("a", "a", said, teams={"acme/ops": team}), request()).verdict is verdict


def test_a_freeze_is_judged_at_the_moment_of_the_merge() -> None:
    freeze = target(gates=[{"freeze": {"start": "30 10 * * *", "duration": "1h"}}])
    early = request()._replace(merged_at=NOW - timedelta(seconds=1))
    assert landed(freeze, Landed("a", "a"), early).verdict is MergeVerdict.EXPECTED
    assert landed(freeze, Landed("a", "a"), request()).closed == ("freeze",)


def test_what_had_passed_before_the_merge_is_not_asked_of_a_source_that_has_gone_on_since() -> None:
    passed = (GateState(gate="healthyFor", verdict="pass"), GateState(gate="hold", verdict="pass"))
    now = (GateState(gate="healthyFor", verdict="wait"), GateState(gate="hold", verdict="wait"))
    assert closed_then(request(), now, known(gates=passed)) == ("hold",)
    assert closed_then(request(head="other"), now, known(gates=passed)) == ("healthyFor", "hold")


def test_dispatchs_own_merge_is_no_override_and_where_people_merge_it_has_none() -> None:
    mine, hold = request(by="dispatch"), [{"hold": True}]
    automatic, manual = target(merge="Automatic", gates=hold), target(merge="Manual", gates=hold)
    assert landed(automatic, Landed("a", "a"), mine).verdict is MergeVerdict.EXPECTED
    assert landed(automatic, Landed("a", "b"), mine).verdict is MergeVerdict.UNREVIEWED
    assert landed(manual, Landed("a", "a"), mine).verdict is MergeVerdict.OVERRIDE


@given(st.lists(st.builds(lambda s: Review("b", "approved", "c", s, True), st.none() | st.datetimes())))
def test_without_a_time_of_the_merge_every_review_counts(reviews: list[Review]) -> None:
    assert reviews_until(reviews, None) == reviews
    assert reviews_until(None, NOW) is None


def test_an_unreviewed_change_taints_what_runs_it_until_it_is_accepted_or_something_else_runs() -> None:
    merge = PastMerge(commit="c0ffee", digest="d", verdict=MergeVerdict.UNREVIEWED, pull_request="pr/7")
    state = known(merged=merge)
    assert "unreviewed change (pr/7" in tainted(state, "d", ())
    assert tainted(state, "", ()), "what is not known is tainted"
    assert not tainted(state, "newer", ()) and not tainted(state, "d", {"c0ffee"})
    assert not tainted(known(), "d", ()) and not tainted(None, "d", ())
    assert not tainted(known(merged=merge.model_copy(update={"verdict": MergeVerdict.OVERRIDE})), "d", ())
    assert "is not what was proposed" in said(merge) and said(None) == ""


def went(**more: Any) -> Facts:
    """Production had shop:2 by pull request 7, and has something else now; its branch has moved on."""
    merge = PastMerge(candidate=TWO.id, commit="c0ffee", number=7)
    facts = Facts(
        SOURCE,
        target(merge="Automatic"),
        known(merged=merge, had=("shop:2",)),
        "c",
        NOW,
        {},
        TWO,
        "main",
        True,
        "newer",
        said=Said(request=request()),
    )
    return replace(facts, **more)


def test_what_an_environment_gave_up_is_held_and_asked_for_once() -> None:
    assert decided(went(), NOW).state.state is PromotionState.MERGED, "the base may not have been read since"
    held = decided(went(), LATER)
    assert (held.act, held.state.state) == (Act.NONE, PromotionState.HELD)
    assert decided(went(again={held.state.again}), LATER).act is Act.OPEN
    later = went(again={held.state.again}, said=Said(request=request()._replace(number=8)))
    assert decided(later, LATER).state.state is PromotionState.HELD


def test_what_an_environment_gave_up_is_held_without_a_forge_too() -> None:
    facts = went(forge=False, said=Said())
    assert decided(facts, NOW).state.state is PromotionState.HELD
    pushed = decided(replace(facts, known=known(had=("shop:1",), head="")), NOW)
    assert (pushed.act, pushed.state.had) == (Act.PUSH, ("shop:2",))
    assert decided(replace(facts, known=pushed.state.model_copy(update={"head": "newer"})), NOW).act is Act.PUSH


def test_an_older_version_that_comes_back_by_staging_is_proposed_anew() -> None:
    """Production had 2, then 3; staging is at 2 again."""
    facts = went(known=known(had=("shop:3",), merged=PastMerge(candidate="x", commit="d", number=9)))
    assert decided(facts, LATER).act is Act.OPEN


def test_a_merge_that_the_base_does_not_show_yet_is_merged_and_one_of_which_nothing_is_remembered_is_held() -> None:
    assert decided(went(change="change"), NOW).state.state is PromotionState.MERGED
    lost = went(known=EnvironmentState(name="production", state=PromotionState.WAITING))
    assert decided(lost, LATER).state.state is PromotionState.HELD


IMAGES = st.lists(
    st.builds("{}:{}".format, st.sampled_from(["a", "b", "c"]), st.sampled_from("123")), unique=True, max_size=4
)


@given(IMAGES, IMAGES)
def test_what_was_brought_is_there_in_the_new_version_alone(before: list[str], images: list[str]) -> None:
    found = brought(before, images)
    assert set(images) <= set(found)
    names = {text.partition(":")[0] for text in images}
    assert {text for text in found if text.partition(":")[0] not in names} == {
        text for text in before if text.partition(":")[0] not in names
    }


@given(IMAGES, IMAGES)
def test_shared_are_the_images_of_both(one: list[str], other: list[str]) -> None:
    assert set(same_images(one, other)) == set(one) & set(other)


def test_what_a_commit_renders_anew_is_approved_anew() -> None:
    """The same head, and other objects: a chart that makes up values, a base that is elsewhere."""
    review = Review("ada", "approved", "change", NOW - timedelta(minutes=1), True)
    facts = Facts(
        SOURCE,
        target(merge="Automatic", gates=[{"approvals": {}}]),
        known(digest="one"),
        "c",
        NOW,
        {},
        TWO,
        "main",
        True,
        "change",
        said=Said(request=request("open"), reviews=[review]),
        digest="one",
    )
    assert decided(facts, NOW).act is Act.MERGE
    other = decided(replace(facts, digest="two"), NOW)
    assert (other.act, other.state.rendered, other.state.digest) == (Act.NONE, NOW, "two")
    assert "void, for it renders something else since: ada" in other.state.message
    later = replace(facts, digest="two", known=known(digest="two", rendered=NOW))
    assert decided(later, NOW + timedelta(minutes=5)).act is Act.NONE
    again = [review._replace(at=NOW + timedelta(minutes=1))]
    assert decided(replace(later, said=Said(request=request("open"), reviews=again)), NOW).act is Act.MERGE


def test_what_has_just_come_into_the_branch_is_not_called_superseded() -> None:
    """A forge pushes the merge before it says that it has merged."""
    told = Said(older=request()._replace(state="open"))
    nothing = Candidate()
    facts = Facts(SOURCE, target(), known(), "c", NOW, {}, nothing, "main", True, said=told, shared=("shop:2",))
    seen = decided(facts, NOW)
    assert (seen.act, seen.state.state, seen.state.number) == (Act.NONE, PromotionState.CURRENT, 7)
    assert "is being merged" in seen.state.message
    after = replace(facts, known=seen.state.model_copy(update={"since": NOW}))
    assert decided(after, NOW).act is Act.NONE
    assert decided(after, LATER).act is Act.CLOSE
    assert decided(replace(facts, shared=("shop:1",)), NOW).act is Act.CLOSE, "what was proposed is not there"
