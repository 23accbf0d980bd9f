"""Each gate: when it is open, when it is closed, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.promotion import PromotionGate
from reconciler.model.rollout import Verdict
from reconciler.ports import Proof, Review, Team
from strategies.gates import judge

MONDAY = datetime(2026, 6, 1, 10, 30, tzinfo=UTC)
OFFICE = {"start": "0 9 * * 1-5", "duration": "8h", "timeZone": "Europe/Berlin", "reason": "somebody is awake"}


def gate(**given: Any) -> PromotionGate:
    return PromotionGate.model_validate(given)


@pytest.mark.parametrize(
    ("since", "verdict", "words"),
    [
        (None, Verdict.WAIT, "not Ready"),
        (MONDAY - timedelta(minutes=4), Verdict.WAIT, "for 10m at 2026-06-01 10:36:00"),
        (MONDAY - timedelta(minutes=10), Verdict.PASS, "Ready since 2026-06-01 10:20:00"),
    ],
)
def test_a_soak_is_over_once_the_time_has_passed(since: datetime | None, verdict: Verdict, words: str) -> None:
    name, found, evidence = judge(gate(healthyFor="10m"), Proof(since), MONDAY)
    assert (name, found) == ("healthyFor", verdict)
    assert words in evidence


def review(user: str, state: str = "approved", commit: str = "head", official: bool = True) -> Review:
    return Review(user, state, commit, MONDAY, official)


@pytest.mark.parametrize(
    ("reviews", "open"),
    [
        ([], False),
        ([review("ada")], False),
        ([review("ada"), review("bob")], True),
        ([review("ada"), review("ada")], False),
        ([review("ada"), review("bob", commit="older")], False),
        ([review("ada"), review("bob", "commented")], False),
        ([review("ada"), review("bob"), review("bob", "commented")], True),
        ([review("ada"), review("bob"), review("bob", "dismissed")], False),
        ([review("ada"), review("bob"), review("bob", "rejected")], False),
        ([review("ada", "rejected"), review("bob"), review("ada")], True),
        ([review("ada"), review("bob"), review("cyd", "rejected")], True),
        ([review("ada"), review("bob", "pending")], False),
        ([review("ada"), review("bob", official=False)], False),
        ([review("ada"), review("cyd")], False),
        ([review("ada"), review("dispatch")], False),
        ([review("ada", commit=""), review("bob")], False),
    ],
    ids=[
        "none",
        "one-of-two",
        "both",
        "one-twice",
        "of-an-earlier-commit",
        "a-comment-is-none",
        "a-comment-after-it-changes-nothing",
        "dismissed",
        "changed-their-mind",
        "changed-their-mind-back",
        "somebody-else-is-against-it",
        "not-given-yet",
        "who-may-not-write",
        "who-is-not-named",
        "who-opened-it",
        "the-forge-does-not-say-of-what",
    ],
)
def test_enough_of_the_right_people_approve_exactly_what_is_merged(reviews: list[Review], open: bool) -> None:
    wanted = gate(approvals={"count": 2, "from": ["ada", "bob"]})
    _, verdict, _ = judge(wanted, Proof(reviews=reviews, head="head", author="dispatch"), MONDAY)
    assert (verdict is Verdict.PASS) is open


def test_who_opened_it_does_not_count_where_everybody_may_approve() -> None:
    proof = Proof(reviews=[review("ada"), review("dispatch")], head="head", author="dispatch")
    assert judge(gate(approvals={"count": 2}), proof, MONDAY)[1] is Verdict.WAIT
    assert judge(gate(approvals={"count": 1}), proof, MONDAY)[1] is Verdict.PASS


def test_a_gate_that_names_dispatchs_own_account_is_refused_however_many_approve() -> None:
    proof = Proof(reviews=[review("ada"), review("bob")], head="head", author="dispatch")
    _, verdict, words = judge(gate(approvals={"count": 1, "from": ["ada", "bob", "dispatch"]}), proof, MONDAY)
    assert verdict is Verdict.FAIL
    assert "`from` names dispatch, who opens the pull requests" in words


OPS = {"acme/ops": Team(frozenset({"cyd", "dan", "dispatch"}))}


@pytest.mark.parametrize(
    ("reviews", "teams", "open"),
    [
        ([review("cyd")], OPS, True),
        ([review("ada")], {}, True),
        ([review("eve")], OPS, False),
        ([review("cyd")], {"acme/ops": Team(frozenset({"dan"}))}, False),
        ([review("dispatch")], OPS, False),
        ([review("cyd", official=False)], OPS, False),
        ([review("cyd", commit="older")], OPS, False),
        ([review("ada"), review("dan", "rejected")], OPS, False),
        ([review("ada"), review("eve", "rejected")], OPS, True),
        ([review("ada"), review("eve", "rejected", official=False)], {}, True),
        ([review("ada"), review("dan")], {"acme/ops": Team(problem="the forge says no")}, False),
        ([review("cyd")], {}, False),
        ([review("cyd")], {"acme/web": Team(frozenset({"cyd"}))}, False),
    ],
    ids=[
        "a-member",
        "who-is-named",
        "neither",
        "left-the-team",
        "dispatch-itself-is-a-member",
        "a-member-who-may-not-write",
        "of-an-earlier-commit",
        "a-member-is-against-it",
        "somebody-else-is-against-it",
        "somebody-without-a-word-is-against-it",
        "the-team-cannot-be-read",
        "nobody-has-asked-for-the-team",
        "of-another-team",
    ],
)
def test_the_members_of_a_team_may_approve_beside_those_who_are_named(
    reviews: list[Review], teams: dict[str, Team], open: bool
) -> None:
    wanted = gate(approvals={"from": ["ada"], "teams": ["acme/ops"]})
    proof = Proof(reviews=reviews, head="head", author="dispatch", teams=teams)
    _, verdict, words = judge(wanted, proof, MONDAY)
    assert verdict is (Verdict.PASS if open else Verdict.WAIT)
    assert words


def test_a_team_that_cannot_be_read_is_closed_and_says_what_the_forge_said() -> None:
    wanted = gate(approvals={"teams": ["acme/ops", "acme/web"]})
    teams = {"acme/ops": OPS["acme/ops"], "acme/web": Team(problem="team acme/web: 404")}
    _, verdict, words = judge(wanted, Proof(reviews=[review("cyd")], head="head", teams=teams), MONDAY)
    assert (verdict, words) == (Verdict.WAIT, "team acme/web: 404")
    # Before anybody has said something nobody has to be known.
    _, verdict, words = judge(wanted, Proof(reviews=[], head="head"), MONDAY)
    assert verdict is Verdict.WAIT
    assert words == "1 of the team acme/ops, the team acme/web must approve head: nobody has approved"


@pytest.mark.parametrize(
    ("at", "open"),
    [(MONDAY - timedelta(seconds=1), False), (MONDAY, False), (MONDAY + timedelta(seconds=1), True), (None, False)],
    ids=["before", "in-the-same-second", "after", "nobody-knows-when"],
)
def test_an_approval_is_void_once_the_same_commit_renders_something_else(at: datetime | None, open: bool) -> None:
    said = [Review("ada", "approved", "head", at, True)]
    proof = Proof(reviews=said, head="head", author="dispatch", digest="0123456789abcdef", since=MONDAY)
    _, verdict, words = judge(gate(approvals={}), proof, MONDAY)
    assert (verdict is Verdict.PASS) is open
    assert "head, rendered 0123456789" in words
    assert ("void, for it renders something else since: ada" in words) is not open


@given(
    st.lists(
        st.builds(
            review,
            st.sampled_from(["ada", "bob", "bot"]),
            st.sampled_from(["approved", "rejected", "commented", "dismissed", "pending", "new words"]),
            st.sampled_from(["head", "older", ""]),
            st.booleans(),
        )
    )
)
def test_nothing_passes_without_an_approval_of_this_head_by_somebody_else(reviews: list[Review]) -> None:
    _, verdict, words = judge(gate(approvals={}), Proof(reviews=reviews, head="head", author="bot"), MONDAY)
    good = [each for each in reviews if each.state == "approved" and each.commit == "head" and each.user != "bot"]
    assert verdict is Verdict.WAIT or any(each.official for each in good)
    assert words


def test_without_a_pull_request_nobody_has_approved() -> None:
    assert judge(gate(approvals={"count": 1}), Proof(), MONDAY)[1] is Verdict.WAIT
    assert judge(gate(checks=["ci"]), Proof(), MONDAY)[1] is Verdict.WAIT


@pytest.mark.parametrize(
    ("states", "open"),
    [
        ({"ci/build": "success", "ci/test": "success", "other": "failure"}, True),
        ({"ci/build": "success"}, False),
        ({"ci/build": "success", "ci/test": "pending"}, False),
        ({"ci/build": "success", "ci/test": "neutral"}, False),
    ],
    ids=["all-good", "one-is-missing", "one-is-pending", "one-says-something-new"],
)
def test_every_named_check_must_have_succeeded(states: dict[str, str], open: bool) -> None:
    _, verdict, evidence = judge(gate(checks=["ci/build", "ci/test"]), Proof(checks=states), MONDAY)
    assert (verdict is Verdict.PASS) is open
    assert "ci/test" in evidence


@pytest.mark.parametrize(
    ("now", "open"),
    [
        (MONDAY, True),
        (datetime(2026, 6, 1, 7, 0, tzinfo=UTC), True),
        (datetime(2026, 6, 1, 6, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 6, 1, 14, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 1, 15, 0, tzinfo=UTC), False),
        (datetime(2026, 5, 31, 10, 30, tzinfo=UTC), False),
    ],
    ids=["in-the-middle", "at-its-start", "a-second-before", "its-last-minute", "at-its-end", "on-sunday"],
)
def test_a_window_is_open_in_its_time_of_its_zone(now: datetime, open: bool) -> None:
    _, verdict, evidence = judge(gate(window=OFFICE), Proof(), now)
    assert (verdict is Verdict.PASS) is open
    assert "somebody is awake" in evidence
    _, frozen, _ = judge(gate(freeze=OFFICE), Proof(), now)
    assert (frozen is Verdict.PASS) is not open


def test_a_closed_window_says_when_it_opens() -> None:
    _, _, evidence = judge(gate(window=OFFICE), Proof(), datetime(2026, 6, 6, 12, 0, tzinfo=UTC))
    assert "opens at 2026-06-08 09:00 Europe/Berlin" in evidence


def test_the_clock_that_is_put_forward_leaves_no_window_out() -> None:
    """02:30 of 29 March 2026 is no time in Berlin: the window of that night begins right after the gap."""
    night = {"start": "30 2 * * *", "duration": "1h", "timeZone": "Europe/Berlin"}
    assert judge(gate(window=night), Proof(), datetime(2026, 3, 29, 1, 10, tzinfo=UTC))[1] is Verdict.PASS


def test_a_schedule_that_cannot_be_read_is_closed() -> None:
    bad = gate(window={"start": "99 9 * * *", "duration": "1h"})
    assert judge(bad, Proof(), MONDAY)[1] is Verdict.WAIT
    assert judge(gate(freeze={"start": "99 9 * * *", "duration": "1h"}), Proof(), MONDAY)[1] is Verdict.WAIT


def test_a_hold_is_closed_as_long_as_it_is_true() -> None:
    assert judge(gate(hold=True), Proof(), MONDAY)[1] is Verdict.WAIT
    assert judge(gate(hold=False), Proof(), MONDAY)[1] is Verdict.PASS


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_a_window_and_a_freeze_of_the_same_time_are_never_open_together(now: datetime) -> None:
    assert {judge(gate(window=OFFICE), Proof(), now)[1], judge(gate(freeze=OFFICE), Proof(), now)[1]} == {
        Verdict.PASS,
        Verdict.WAIT,
    }
