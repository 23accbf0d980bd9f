"""What can be asked of a Rollout in which state, and how it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rollout_documents import NEW, application, blue_green, rollout

from reconciler.cli.rollout.wishes import action, refusal
from reconciler.core.progressive.seen import see
from reconciler.model.document import load
from reconciler.model.manifest import Origin
from reconciler.model.rollout import RolloutSeen, Wish
from reconciler.model.rollout_action import RolloutAction, asked

PAUSED = see(rollout())
MOVING = see(rollout({"pauseConditions": None, "controllerPause": None, "phase": "Progressing", "message": "x"}))
TIMED = see(rollout({"currentStepIndex": 4}))
UNCLEAR = see(rollout({"pauseConditions": [{"reason": "InconclusiveAnalysisRun"}]}))
ABORTED = replace(PAUSED, aborted=True, pause="")
PROMOTED = replace(PAUSED, stable_hash=NEW, pause="")
FIRST = replace(PAUSED, stable_hash="")
UNOBSERVED = replace(PAUSED, observed=False, message="waiting for the spec")
NONE = replace(PAUSED, pod_hash="")
STOPPED = replace(MOVING, spec_paused=True)
BLUE = see(blue_green())
APPROVAL: dict[str, Any] = {"approval": True}
HEALTHY: dict[str, Any] = {"healthy": {"applications": ["db", "mq"]}}


@pytest.mark.parametrize("seen", [PAUSED, TIMED, UNCLEAR, BLUE])
def test_a_pause_can_be_ended_by_a_person_also_one_that_ends_by_itself(seen: RolloutSeen) -> None:
    assert refusal(Wish.PROMOTE, seen, None, vetoed=False) == ""


@pytest.mark.parametrize(
    ("seen", "gate", "why"),
    [
        (MOVING, APPROVAL, ""),
        (MOVING, {}, ""),
        (MOVING, APPROVAL | HEALTHY, ""),
        (MOVING, HEALTHY, "the gate of step 2 of 5 waits for db, mq to be Ready, not for a person"),
        (MOVING, None, "nothing of Rollout shop/web waits for a person at step 2 of 5; --full skips all that is left"),
        (STOPPED, None, "is paused by spec.paused"),
        (PROMOTED, None, f"version {NEW} of Rollout shop/web is promoted already"),
        (ABORTED, None, "was aborted; `dispatch rollout retry` starts it again"),
        (FIRST, None, "is the first one of Rollout shop/web"),
        (UNOBSERVED, None, "changes just now (waiting for the spec): ask again"),
        (NONE, None, "has no version yet"),
    ],
)
def test_what_can_be_promoted(seen: RolloutSeen, gate: dict[str, Any] | None, why: str) -> None:
    told = refusal(Wish.PROMOTE, seen, gate, vetoed=False)
    assert (why in told) if why else not told


@pytest.mark.parametrize(
    ("wish", "seen", "why"),
    [
        (Wish.PROMOTE_FULL, MOVING, ""),
        (Wish.PROMOTE_FULL, TIMED, ""),
        (Wish.PROMOTE_FULL, PROMOTED, "is promoted already"),
        (Wish.PROMOTE_FULL, ABORTED, "retry"),
        (Wish.ABORT, PAUSED, ""),
        (Wish.ABORT, MOVING, ""),
        (Wish.ABORT, STOPPED, ""),
        (Wish.ABORT, ABORTED, "was aborted"),
        (Wish.ABORT, PROMOTED, "To undo it, revert the commit in Git"),
        (Wish.ABORT, FIRST, "nothing to go back to"),
        (Wish.ABORT, NONE, "has no version yet"),
        (Wish.RETRY, ABORTED, ""),
        (Wish.RETRY, PAUSED, "was not aborted"),
    ],
)
def test_what_else_can_be_asked(wish: Wish, seen: RolloutSeen, why: str) -> None:
    told = refusal(wish, seen, None, vetoed=False)
    assert (why in told) if why else not told


def test_a_veto_can_be_lifted_when_the_version_was_taken_back_already() -> None:
    assert refusal(Wish.RETRY, PROMOTED, None, vetoed=True) == ""


@pytest.mark.parametrize("wish", Wish)
def test_an_action_is_bound_to_what_was_seen(wish: Wish) -> None:
    document = action(application(), wish, PAUSED, "ada", "looks good")
    read = load(document, Origin("x"))
    assert isinstance(read, RolloutAction)
    document["metadata"]["creationTimestamp"] = "2026-11-26T04:33:00Z"
    bound = asked(document)
    assert (bound.wish, bound.uid, bound.pod_hash, bound.by) == (wish, "u1", NEW, "ada")
    assert bound.step == (1 if wish is Wish.PROMOTE else None)
    assert (document["metadata"]["namespace"], read.spec.application) == ("team-a", "web")


def test_a_blue_green_is_approved_without_a_step_and_a_reason_is_left_out_when_none_is_given() -> None:
    spec = action(application(), Wish.PROMOTE, BLUE, "ada", None)["spec"]
    assert spec.keys() == {"application", "action", "rollout", "uid", "podHash", "by"}


def test_two_actions_have_two_names_and_a_long_name_is_cut() -> None:
    long = replace(PAUSED, id=PAUSED.id._replace(name="a" * 253))
    names = {action(application(), Wish.PROMOTE_FULL, long, "ada", None)["metadata"]["name"] for _ in range(2)}
    assert len(names) == 2
    assert all(len(name) == 253 for name in names)
