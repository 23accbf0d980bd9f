"""Every state of a Rollout has its decision, and a wish is carried out only where it was meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from recorded_rollouts import LIMITS, ROLLOUTS, after, recorded, seen, wish

from reconciler.core.progressive.seen import see
from reconciler.model.rollout import AnalysisKind, AnalysisSeen, Asked, Decision, Phase, RolloutSeen, Verb, Wish
from reconciler.ports import RolloutStrategy
from strategies.rollout import blue_green, canary

WAYS: dict[str, RolloutStrategy] = {"canary": canary, "blueGreen": blue_green}
PROMOTE, FULL, ABORT, RETRY = Wish.PROMOTE, Wish.PROMOTE_FULL, Wish.ABORT, Wish.RETRY


def decided(rollout: RolloutSeen, *asked: Asked, now: datetime | None = None) -> Decision:
    way = WAYS.get(rollout.strategy, canary)
    return way.decide(rollout, asked, LIMITS, now or after(rollout))


PAUSED = {PROMOTE: Verb.RELEASE, FULL: Verb.PROMOTE_FULL, ABORT: Verb.ABORT}
GOING = {FULL: Verb.PROMOTE_FULL, ABORT: Verb.ABORT}
STUCK = {ABORT: Verb.ABORT}
ABORTED = {RETRY: Verb.RETRY}
DONE: dict[Wish, Verb] = {}
STATES = {
    "canary-first": (Verb.WAIT, "is the first: Argo Rollouts skips all steps and analyses", GOING),
    "canary-healthy": (Verb.PROMOTED, "is promoted. It is the first version of this Rollout: Argo Rollouts", DONE),
    "canary-paused": (Verb.HOLD, "version 645bf85ff8 at step 2 of 4 waits for a person: `dispatch rollout", PAUSED),
    "canary-timed-pause": (Verb.WAIT, "is paused for a time, and goes on by itself", PAUSED),
    "canary-paused-by-spec": (Verb.HOLD, "paused by spec.paused. Set it to false", STUCK),
    "canary-aborted-by-hand": (Verb.FAILED, "was aborted: RolloutAborted: Rollout aborted update to", ABORTED),
    "canary-aborted-by-analysis": (Verb.FAILED, 'Metric "gate" assessed Failed due to failed (1) > fail', ABORTED),
    "canary-aborted-while-paused-by-spec": (Verb.FAILED, "Its pods stay as long as spec.paused stops", ABORTED),
    "canary-inconclusive": (Verb.HOLD, "web-645bf85ff8-2-1 cannot tell good from bad", PAUSED),
    "canary-background-inconclusive-in-a-pause": (Verb.HOLD, "ends the pause and has it asked again", PAUSED),
    "canary-background-was-ended": (Verb.HOLD, "waits for a person", PAUSED),
    "canary-gate-waits": (Verb.WAIT, "is under way", GOING),
    "canary-gate-was-ended": (Verb.HOLD, "waits for a person", PAUSED),
    "canary-invalid": (Verb.HOLD, "AnalysisTemplate 'nowhere' not found. Mend it in Git", DONE),
    "canary-deadline-exceeded": (Verb.WAIT, "is past its progress deadline: it may recover", STUCK),
    "canary-first-deadline-exceeded": (Verb.WAIT, "is past its progress deadline: it may recover", DONE),
    "blue-green-healthy": (Verb.PROMOTED, "is promoted", DONE),
    "blue-green-paused": (Verb.HOLD, "version 645bf85ff8 waits for a person: `dispatch rollout promote`", PAUSED),
    "blue-green-timed-pause": (Verb.WAIT, "goes on by itself", PAUSED),
    "blue-green-inconclusive": (Verb.HOLD, "`dispatch rollout promote` has it asked again", PAUSED),
    "blue-green-analysis-was-ended": (Verb.HOLD, "waits for a person", PAUSED),
    "workload-not-yet-seen": (Verb.PROMOTED, "is promoted", DONE),
    "workload-paused": (Verb.HOLD, "waits for a person", PAUSED),
}
"""By recording: what is decided when nobody asks anything, why, and what each wish for it leads to; the others to
nothing else."""


def test_every_recorded_state_has_its_row() -> None:
    assert sorted(STATES) == ROLLOUTS


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_decision_when_nobody_asks_anything(state: str) -> None:
    verb, why, _ = STATES[state]
    decision = decided(seen(state))
    assert (decision.verb, decision.because_of) == (verb, ())
    assert why in decision.why
    assert (decision.pod_hash, decision.step) == (seen(state).pod_hash, seen(state).step)


@pytest.mark.parametrize("kind", list(Wish))
@pytest.mark.parametrize("state", STATES)
def test_a_wish_for_what_is_seen_is_carried_out_or_changes_nothing(state: str, kind: Wish) -> None:
    decision = decided(seen(state), wish(seen(state), kind))
    if kind in STATES[state][2]:
        assert (decision.verb, decision.because_of) == (STATES[state][2][kind], ("a",))
        assert "alice" in decision.why
    else:
        assert decision == decided(seen(state))


@pytest.mark.parametrize(
    ("state", "other"),
    [
        ("canary-paused", {"uid": "another"}),
        ("canary-paused", {"pod_hash": "7684585bc8"}),
        ("canary-paused", {"step": 0}),
        ("canary-paused", {"step": 2}),
        ("canary-paused", {"step": None}),
        ("canary-inconclusive", {"step": 0}),
        ("blue-green-paused", {"step": 1}),
        ("blue-green-paused", {"pod_hash": "7684585bc8"}),
        ("blue-green-inconclusive", {"step": 0}),
    ],
)
def test_a_wish_for_something_else_changes_nothing(state: str, other: dict[str, Any]) -> None:
    rollout = seen(state)
    assert decided(rollout, wish(rollout, PROMOTE, **other)) == decided(rollout)


@pytest.mark.parametrize("kind", [FULL, ABORT])
@pytest.mark.parametrize("other", [{"uid": "another"}, {"pod_hash": "7684585bc8"}])
def test_no_version_but_the_one_that_was_meant_is_ended_or_promoted(kind: Wish, other: dict[str, Any]) -> None:
    rollout = seen("canary-paused")
    assert decided(rollout, wish(rollout, kind, **other)).verb is Verb.HOLD


def test_a_wish_from_before_the_pause_ends_it_not() -> None:
    rollout = seen("canary-paused")
    assert rollout.pause_since is not None
    assert decided(rollout, wish(rollout, PROMOTE, at=rollout.pause_since)).verb is Verb.RELEASE
    before = rollout.pause_since - timedelta(seconds=1)
    assert decided(rollout, wish(rollout, PROMOTE, at=before)).verb is Verb.HOLD


def test_all_who_asked_for_the_same_are_named() -> None:
    rollout = seen("canary-paused")
    both = wish(rollout, PROMOTE, "b", by="bob"), wish(rollout, PROMOTE, "a"), wish(rollout, PROMOTE, "c", step=3)
    decision = decided(rollout, *both)
    assert decision.because_of == ("a", "b")
    assert "as alice and bob asked" in decision.why


@pytest.mark.parametrize("state", ["canary-paused", "canary-timed-pause", "canary-inconclusive", "blue-green-paused"])
def test_an_abort_goes_before_every_other_wish(state: str) -> None:
    rollout = seen(state)
    everything = [wish(rollout, kind, str(kind)) for kind in (PROMOTE, FULL, RETRY, ABORT)]
    decision = decided(rollout, *everything)
    assert (decision.verb, decision.because_of) == (Verb.ABORT, ("Abort",))


def test_an_aborted_version_is_not_tried_again_while_an_abort_is_asked_for() -> None:
    rollout = seen("canary-aborted-by-hand")
    assert decided(rollout, wish(rollout, RETRY, "a"), wish(rollout, ABORT, "b")).verb is Verb.FAILED


def test_a_promoted_version_is_not_aborted() -> None:
    """The controller drops such an abort, and there is no other version to go back to."""
    rollout = replace(seen("canary-healthy"), aborted=True)
    assert decided(rollout).verb is Verb.WAIT
    healthy = seen("canary-healthy")
    assert decided(healthy, wish(healthy, ABORT)).verb is Verb.PROMOTED


ENDED = [
    ("canary-gate-waits", "web-645bf85ff8-2-1"),
    ("canary-gate-was-ended", "web-645bf85ff8-2-1"),
    ("canary-background-was-ended", "web-645bf85ff8-2"),
    ("blue-green-analysis-was-ended", "web-645bf85ff8-2-pre"),
]


@pytest.mark.parametrize(("state", "run"), ENDED)
def test_an_analysis_that_somebody_ended_is_no_pass(state: str, run: str) -> None:
    rollout = seen(state, (run,))
    decision = decided(rollout, wish(rollout, PROMOTE), wish(rollout, FULL))
    assert decision.verb is Verb.ABORT
    assert f"somebody ended the analysis {run}, which is no pass" in decision.why


def test_an_analysis_that_ended_with_a_full_promotion_or_after_it_is_nothing_to_abort_for() -> None:
    rollout = replace(seen("canary-background-was-ended", ("web-645bf85ff8-2",)), promote_full=True)
    assert decided(rollout).verb is Verb.WAIT
    assert decided(replace(rollout, stable_hash=rollout.pod_hash, phase=Phase.HEALTHY)).verb is Verb.PROMOTED
    after_it = AnalysisSeen(AnalysisKind.POST_PROMOTION, "web-1-2-post", "Successful", terminated=True)
    assert decided(replace(seen("blue-green-paused"), analyses=(after_it,))).verb is Verb.HOLD


def test_a_deadline_counts_after_it_has_lasted() -> None:
    rollout = seen("canary-deadline-exceeded")
    assert rollout.stuck_since is not None
    early = decided(rollout, now=rollout.stuck_since + timedelta(seconds=4))
    assert (early.verb, early.again) == (Verb.WAIT, 6)
    late = decided(rollout, now=rollout.stuck_since + timedelta(seconds=10))
    assert late.verb is Verb.ABORT
    assert 'ProgressDeadlineExceeded: ReplicaSet "web-84d97c8685" has timed out progressing' in late.why


def test_a_first_version_past_its_deadline_has_nothing_to_go_back_to() -> None:
    """The controller calls the first version stable at once, and drops an abort of it."""
    rollout = seen("canary-first-deadline-exceeded")
    decision = decided(rollout, now=after(rollout, 60))
    assert decision.verb is Verb.HOLD
    assert "nothing is there to go back to" in decision.why


def test_nobody_decides_about_an_inconclusive_analysis_for_ever() -> None:
    rollout = seen("canary-inconclusive")
    assert rollout.pause_since is not None
    held = decided(rollout, now=rollout.pause_since + timedelta(seconds=1799))
    assert (held.verb, held.again) == (Verb.HOLD, 1)
    late = rollout.pause_since + timedelta(seconds=1800)
    assert decided(rollout, now=late).verb is Verb.ABORT
    assert decided(rollout, wish(rollout, PROMOTE), now=late).verb is Verb.RELEASE


def test_the_deadline_of_an_inconclusive_analysis_starts_with_it_and_not_with_the_pause_that_it_came_in() -> None:
    document = recorded("canary-background-inconclusive-in-a-pause")
    document["status"]["pauseConditions"][0]["startTime"] = "2026-11-25T04:00:00Z"
    assert decided(see(document)).verb is Verb.HOLD


def test_a_pause_that_dispatch_does_not_know_is_left_to_a_person() -> None:
    rollout = replace(seen("canary-paused"), pause="SomethingNew")
    decision = decided(rollout, wish(rollout, PROMOTE))
    assert (decision.verb, decision.because_of) == (Verb.HOLD, ())
    assert "SomethingNew" in decision.why


def test_a_pause_of_steps_without_steps_is_not_ended() -> None:
    rollout = replace(seen("canary-paused"), step=None, steps=0)
    assert decided(rollout, wish(rollout, PROMOTE)).verb is Verb.HOLD


def test_a_released_pause_and_a_full_promotion_are_not_done_twice() -> None:
    document = recorded("canary-paused")
    rollout = see(document)
    asked = wish(rollout, PROMOTE), wish(rollout, FULL)
    del document["status"]["pauseConditions"]
    assert decided(see(document), *asked).verb is Verb.WAIT
    assert decided(replace(rollout, promote_full=True), *asked).verb is Verb.WAIT


@pytest.mark.parametrize("kind", list(Wish))
def test_nothing_is_done_while_the_controller_has_not_seen_the_spec(kind: Wish) -> None:
    rollout = replace(seen("canary-paused"), observed=False, message="waiting for the controller to see the spec")
    decision = decided(rollout, wish(rollout, kind))
    assert (decision.verb, decision.because_of, decision.again) == (Verb.WAIT, (), 59)
    assert decision.why == "waiting for the controller to see the spec"


def test_a_controller_without_a_sign_is_called_silent_and_still_nothing_is_done() -> None:
    rollout = replace(seen("canary-paused"), observed=False, message="waiting for the controller to leave the pause")
    decision = decided(rollout, wish(rollout, PROMOTE), wish(rollout, ABORT), now=after(rollout, 90))
    assert (decision.verb, decision.again) == (Verb.WAIT, 60)
    assert "Argo Rollouts is silent: it has given no sign for 90 s" in decision.why


def test_a_phase_that_nobody_knows_is_waited_out() -> None:
    decision = decided(replace(seen("canary-gate-waits"), phase=Phase.UNKNOWN, message="Frozen"))
    assert (decision.verb, "Frozen" in decision.why) == (Verb.WAIT, True)


def test_a_promoted_version_that_is_not_healthy_yet_is_waited_for() -> None:
    rollout = replace(seen("blue-green-healthy"), phase=Phase.PROGRESSING, revision=2)
    assert decided(rollout).verb is Verb.WAIT
    assert "first" not in decided(rollout).why
    assert decided(replace(rollout, spec_paused=True)).verb is Verb.HOLD


CLOSED = "freeze: frozen until 14:00 (a sale)"


def in_a_freeze(rollout: RolloutSeen, *asked: Asked, seconds: float = 1) -> Decision:
    way = WAYS.get(rollout.strategy, canary)
    return way.decide(rollout, asked, replace(LIMITS, closed=CLOSED), after(rollout, seconds))


@pytest.mark.parametrize("kind", list(Wish))
@pytest.mark.parametrize("state", STATES)
def test_in_a_freeze_a_wish_to_go_on_waits_and_a_wish_to_go_back_does_not(state: str, kind: Wish) -> None:
    rollout = seen(state)
    usual, decision = decided(rollout, wish(rollout, kind)), in_a_freeze(rollout, wish(rollout, kind))
    if rollout.first or usual.verb not in (Verb.RELEASE, Verb.PROMOTE_FULL, Verb.RETRY):
        assert replace(decision, held="") == usual
        return
    expected = Verb.FAILED if usual.verb is Verb.RETRY else Verb.WAIT
    assert (decision.verb, decision.because_of, decision.held) == (expected, (), CLOSED)
    assert decision.told.endswith(CLOSED)


@pytest.mark.parametrize("state", ["canary-paused", "canary-gate-waits", "blue-green-paused"])
def test_in_a_freeze_it_is_said_that_nothing_goes_on(state: str) -> None:
    decision = in_a_freeze(seen(state))
    assert (decision.verb, decision.held) == (decided(seen(state)).verb, CLOSED)


NOT_HELD = ["canary-first", "canary-healthy", "canary-invalid", "blue-green-healthy", "canary-timed-pause"]


@pytest.mark.parametrize("state", NOT_HELD)
def test_what_goes_nowhere_or_by_itself_is_not_said_to_be_held(state: str) -> None:
    assert in_a_freeze(seen(state)).held == ""


def test_somebody_who_has_decided_in_a_freeze_is_not_overtaken_by_the_deadline() -> None:
    rollout = seen("canary-inconclusive")
    late = LIMITS.inconclusive + 60
    assert in_a_freeze(rollout, seconds=late).verb is Verb.ABORT
    assert in_a_freeze(rollout, wish(rollout, PROMOTE), seconds=late).verb is Verb.WAIT


def test_why_a_version_was_aborted_is_not_that_somebody_wants_it_again() -> None:
    rollout = seen("canary-aborted-by-hand")
    assert in_a_freeze(rollout, wish(rollout, RETRY)).why == decided(rollout).why


def test_what_was_aborted_on_its_way_to_the_end_is_not_started_again_in_a_freeze() -> None:
    rollout = replace(seen("canary-aborted-by-hand"), promote_full=True)
    assert decided(rollout, wish(rollout, RETRY)).verb is Verb.RETRY
    assert in_a_freeze(rollout, wish(rollout, RETRY)).verb is Verb.FAILED
