"""What is true of every decision about a Rollout, whatever is seen and whatever is asked."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_rollouts import ROLLOUTS, recorded

from reconciler.core.progressive.ended import ended_by_hand
from reconciler.core.progressive.outdated import outdated
from reconciler.core.progressive.patches import promote_full_patch, release_patch
from reconciler.core.progressive.seen import see, see_deployment
from reconciler.model.identity import ObjectId
from reconciler.model.rollout import (
    AnalysisKind,
    AnalysisSeen,
    Asked,
    Decision,
    Limits,
    Phase,
    RolloutSeen,
    Verb,
    Wish,
)
from strategies.rollout import blue_green, canary, rolling

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ONWARD = {Verb.RELEASE: Wish.PROMOTE, Verb.PROMOTE_FULL: Wish.PROMOTE_FULL, Verb.RETRY: Wish.RETRY}

HASHES = st.sampled_from(["", "new", "old"])
UIDS = st.sampled_from(["", "u1", "u2"])
STEPS = st.none() | st.integers(0, 4)
TIMES = st.none() | st.integers(-4000, 100).map(lambda seconds: NOW + timedelta(seconds=seconds))
PAUSES = st.sampled_from(["", "CanaryPauseStep", "BlueGreenPause", "InconclusiveAnalysisRun", "Other"])
RUNS = st.builds(
    AnalysisSeen,
    st.sampled_from(AnalysisKind),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(["", "Running", "Successful", "Failed", "Inconclusive"]),
    st.just(""),
    st.booleans(),
)
BUILT = st.builds(
    RolloutSeen,
    id=st.just(ObjectId("argoproj.io", "Rollout", "n", "web")),
    uid=st.sampled_from(["u1", "u1", ""]),
    strategy=st.sampled_from(["canary", "blueGreen", ""]),
    observed=st.sampled_from([True, True, True, False]),
    phase=st.sampled_from(Phase),
    message=st.sampled_from(["", "RolloutAborted: it was bad"]),
    pod_hash=st.sampled_from(["new", "new", "new", ""]),
    stable_hash=st.sampled_from(["old", "old", "new", ""]),
    step=STEPS,
    steps=st.just(4),
    pause=PAUSES,
    pause_since=TIMES,
    timed=st.booleans(),
    controller_pause=st.booleans(),
    spec_paused=st.sampled_from([False, False, True]),
    aborted=st.sampled_from([False, False, True]),
    promote_full=st.sampled_from([False, False, True]),
    invalid=st.sampled_from([False, False, False, True]),
    stuck_since=st.just(None) | st.just(None) | TIMES,
    moved=TIMES,
    analyses=st.lists(RUNS, max_size=2).map(tuple),
    revision=st.integers(0, 2),
)


REAL = st.sampled_from([see(recorded(name)) for name in ROLLOUTS if "paused" in name or "inconclusive" in name])
SEEN = REAL | st.sampled_from([see(recorded(name)) for name in ROLLOUTS]) | BUILT


@st.composite
def looks(draw: st.DrawFn) -> tuple[RolloutSeen, list[Asked]]:
    """A Rollout, and wishes that are meant for it, nearly meant for it, or for something else."""
    seen = draw(SEEN)
    wishes = st.builds(
        Asked,
        name=st.sampled_from("abcdef"),
        wish=st.sampled_from([Wish.PROMOTE, Wish.PROMOTE, *Wish]),
        uid=st.sampled_from([seen.uid, seen.uid, seen.uid, "u2"]),
        pod_hash=st.sampled_from([seen.pod_hash, seen.pod_hash, seen.pod_hash, "old"]),
        step=st.just(seen.step) | st.just(seen.step) | STEPS,
        by=st.sampled_from(["alice", "bob"]),
        at=st.just(NOW) | st.integers(-4000, 100).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    )
    return seen, draw(st.lists(wishes, max_size=4, unique_by=lambda one: one.name))


LOOKS = looks()
Look = tuple[RolloutSeen, list[Asked]]
WAYS = st.sampled_from([canary.decide, blue_green.decide])
LIMITS = st.builds(Limits, settle=st.integers(0, 60), inconclusive=st.integers(1, 3600), silent=st.integers(1, 600))


def meant(seen: RolloutSeen, one: Asked) -> bool:
    return bool(one.uid and one.pod_hash) and (one.uid, one.pod_hash) == (seen.uid, seen.pod_hash)


def carried_out(decision: Decision, asked: Sequence[Asked]) -> list[Asked]:
    return [one for one in asked if one.name in decision.because_of]


@given(WAYS, LOOKS, LIMITS)
@settings(max_examples=500)
def test_no_version_goes_on_but_the_one_that_a_person_judged(decide: Any, look: Look, limits: Limits) -> None:
    seen, asked = look
    decision = decide(seen, asked, limits, NOW)
    assert (decision.pod_hash, decision.step) == (seen.pod_hash, seen.step)
    if decision.verb in ONWARD:
        done = carried_out(decision, asked)
        assert done
        assert all(meant(seen, one) and one.wish is ONWARD[decision.verb] for one in done)
    if decision.verb is Verb.RELEASE:
        assert all(one.step == seen.step for one in carried_out(decision, asked))
    if decision.verb is Verb.PROMOTED:
        assert seen.pod_hash == seen.stable_hash != ""


@given(WAYS, LOOKS, LIMITS)
@settings(max_examples=500)
def test_an_abort_that_is_asked_for_always_wins(decide: Any, look: Look, limits: Limits) -> None:
    seen, asked = look
    aborts = [one for one in asked if one.wish is Wish.ABORT and meant(seen, one)]
    decision = decide(seen, asked, limits, NOW)
    if not aborts:
        return
    assert decision.verb not in ONWARD
    if seen.observed and not (seen.invalid or seen.promoted or seen.aborted):
        assert decision.verb is Verb.ABORT
        assert set(decision.because_of) == {one.name for one in aborts}


@given(WAYS, LOOKS, LIMITS)
@settings(max_examples=500)
def test_nothing_goes_forward_in_a_freeze_and_an_abort_always_goes(decide: Any, look: Look, limits: Limits) -> None:
    seen, asked = look
    usual, held = decide(seen, asked, limits, NOW), decide(seen, asked, replace(limits, closed="frozen"), NOW)
    if not seen.first:
        assert held.verb not in ONWARD
    if usual.verb not in ONWARD:
        assert replace(held, held="") == usual
    elif not seen.first:
        assert (held.verb in (Verb.WAIT, Verb.FAILED), held.because_of, held.held) == (True, (), "frozen")
    # The wish is not lost: it is carried out once the time is open.
    assert all(outdated(seen, one) is None for one in carried_out(usual, asked))


@given(WAYS, LOOKS, LIMITS)
@settings(max_examples=500)
def test_one_decision_moves_at_most_one_step(decide: Any, look: Look, limits: Limits) -> None:
    seen, asked = look
    if decide(seen, asked, limits, NOW).verb is not Verb.RELEASE:
        return
    patch = release_patch(seen)
    tested = {each["path"]: each["value"] for each in patch if each["op"] == "test"}
    assert (tested["/metadata/uid"], tested["/status/currentPodHash"]) == (seen.uid, seen.pod_hash)
    assert tested["/status/pauseConditions/0/reason"] == seen.pause != ""
    assert tested.get("/status/currentStepIndex") == seen.step
    written = {each["path"]: each.get("value") for each in patch if each["op"] != "test"}
    assert set(written) <= {"/status/pauseConditions", "/status/controllerPause", "/status/currentStepIndex"}
    if "/status/currentStepIndex" in written:
        assert seen.step is not None
        assert written["/status/currentStepIndex"] in (seen.step, seen.step + 1)
    paths = [each["path"] for each in promote_full_patch(seen) if each["op"] != "test"]
    assert paths == ["/status/promoteFull"]


@given(WAYS, LOOKS, LIMITS)
@settings(max_examples=500)
def test_every_decision_says_why_on_one_line_and_when_to_look_again(decide: Any, look: Look, limits: Limits) -> None:
    seen, asked = look
    decision = decide(seen, asked, limits, NOW)
    assert decision.why
    assert "\n" not in decision.why
    assert decision.again is None or 0 < decision.again <= max(limits.settle, limits.inconclusive, limits.silent)
    assert decision.again is None or decision.verb in (Verb.WAIT, Verb.HOLD)


@given(WAYS, LOOKS, LIMITS, st.randoms())
@settings(max_examples=500)
def test_the_same_look_gives_the_same_decision_in_whatever_order_people_asked(
    decide: Any, look: Look, limits: Limits, chance: random.Random
) -> None:
    seen, asked = look
    moved = list(asked)
    chance.shuffle(moved)
    assert decide(seen, moved, limits, NOW) == decide(seen, asked, limits, NOW)


@given(WAYS, LOOKS, LIMITS)
@settings(max_examples=500)
def test_nothing_is_done_to_what_its_controller_has_not_seen(decide: Any, look: Look, limits: Limits) -> None:
    seen, asked = look
    if not seen.observed:
        assert decide(seen, asked, limits, NOW).verb is Verb.WAIT


@given(WAYS, LOOKS, LIMITS)
@settings(max_examples=500)
def test_a_wish_that_is_carried_out_was_not_outdated(decide: Any, look: Look, limits: Limits) -> None:
    seen, asked = look
    for one in carried_out(decide(seen, asked, limits, NOW), asked):
        assert outdated(seen, one) is None


@given(LOOKS, LIMITS)
@settings(max_examples=500)
def test_a_promotion_is_released_outdated_or_waits_for_something_that_ends(look: Look, limits: Limits) -> None:
    """No wish hangs in the air: at a pause for people it is the only thing that the version waits for."""
    seen, asked = look
    decide = blue_green.decide if seen.strategy == "blueGreen" else canary.decide
    own = {"canary": "CanaryPauseStep", "blueGreen": "BlueGreenPause"}.get(seen.strategy)
    decision = decide(seen, asked, limits, NOW)
    if decision.verb is Verb.HOLD and seen.pause == own and not (seen.invalid or seen.spec_paused or seen.stuck_since):
        if seen.strategy == "canary" and seen.step is None:
            return
        wishes = [one for one in asked if one.wish is Wish.PROMOTE and meant(seen, one)]
        assert all(outdated(seen, one) for one in wishes)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["True", "2026-11-26T04:00:00Z", "0001-01-01T00:00:00+14:00", "Inconclusive", "CanaryPauseStep"])
)
KEYS = st.sampled_from(["status", "conditions", "reason", "type", "name", "pause", "duration", "steps", "generation"])
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)
RUN_NAMES = ("web-645bf85ff8-2-1", "web-645bf85ff8-2", "web-645bf85ff8-2-pre.1", "web--", "", "\u0661")


def mangled(data: st.DataObject, name: str) -> Any:
    """A recorded object with something else in one place."""
    document = recorded(name)
    here: Any = document
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = data.draw(st.sampled_from(keys))
        below = here[key]
        if not isinstance(below, dict | list) or not below or data.draw(st.integers(0, 3)) == 0:
            here[key] = data.draw(ANYTHING)
            return document
        here = below


def decides(seen: RolloutSeen) -> None:
    asked = [Asked(kind, kind, seen.uid, seen.pod_hash, seen.step, "alice", NOW) for kind in Wish]
    for decide in (canary.decide, blue_green.decide):
        for wishes in ([], asked):
            decision = decide(seen, wishes, Limits(), NOW)
            assert decision.why and "\n" not in decision.why
            if decision.verb is Verb.RELEASE:
                assert release_patch(seen)
    assert all(outdated(seen, one) != "" for one in asked)


@given(data=st.data())
@settings(max_examples=400)
def test_whatever_a_rollout_holds_a_decision_comes_out(data: st.DataObject) -> None:
    document = mangled(data, data.draw(st.sampled_from(ROLLOUTS)))
    workload = data.draw(st.none() | ANYTHING | st.just(recorded("workload-not-yet-seen-deployment")))
    before = copy.deepcopy(document)
    decides(see(document, RUN_NAMES, workload if isinstance(workload, dict) else None))
    assert str(document) == str(before)


@given(ANYTHING)
def test_any_json_in_place_of_an_object_is_seen(document: Any) -> None:
    decides(see(document, RUN_NAMES))
    assert rolling.decide(see_deployment(document)).why
    assert ended_by_hand(document, [document]) == ()


@given(data=st.data())
def test_any_run_can_be_asked_who_ended_it(data: st.DataObject) -> None:
    run = mangled(data, "analysisrun-ended-by-hand")
    rollout = recorded("canary-gate-was-ended")
    rollout["metadata"]["uid"] = recorded("analysisrun-ended-by-hand")["metadata"]["ownerReferences"][0]["uid"]
    named = ended_by_hand(rollout, [run])
    assert named == () or named == (run["metadata"]["name"],)
