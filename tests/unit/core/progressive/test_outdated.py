"""Who asked too late is told why, and a wish that may still come true is not taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from recorded_rollouts import ROLLOUTS, seen, wish

from reconciler.core.progressive.outdated import outdated
from reconciler.model.rollout import RolloutSeen, Wish

PROMOTE, FULL, ABORT, RETRY = Wish.PROMOTE, Wish.PROMOTE_FULL, Wish.ABORT, Wish.RETRY
PAUSED = "canary-paused"


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (PAUSED, PROMOTE),
        (PAUSED, FULL),
        (PAUSED, ABORT),
        ("canary-inconclusive", PROMOTE),
        ("canary-background-inconclusive-in-a-pause", PROMOTE),
        ("canary-timed-pause", PROMOTE),
        ("canary-timed-pause", FULL),
        ("canary-timed-pause", ABORT),
        ("canary-paused-by-spec", PROMOTE),
        ("canary-aborted-by-hand", RETRY),
        ("canary-aborted-by-analysis", RETRY),
        ("canary-deadline-exceeded", ABORT),
        ("blue-green-paused", PROMOTE),
        ("blue-green-timed-pause", PROMOTE),
        ("blue-green-inconclusive", PROMOTE),
    ],
)
def test_a_wish_that_may_come_true_is_kept(state: str, kind: Wish) -> None:
    assert outdated(seen(state), wish(seen(state), kind)) is None


TOLD: list[tuple[str, Wish, dict[str, Any], str]] = [
    (PAUSED, PROMOTE, {"uid": "x"}, "it was given for another Rollout of this name, which is gone"),
    (PAUSED, ABORT, {"uid": "x"}, "it was given for another Rollout of this name, which is gone"),
    (
        PAUSED,
        PROMOTE,
        {"pod_hash": "abc"},
        "the version has moved on: it was given for abc, and the rollout is at 645b",
    ),
    (PAUSED, RETRY, {}, "version 645bf85ff8 is not aborted: there is nothing to try again"),
    (
        PAUSED,
        PROMOTE,
        {"step": 0},
        "the step has moved on: it was given for step 1 of version 645bf85ff8, and the rollout is at step 2",
    ),
    (PAUSED, PROMOTE, {"step": None}, "it names no step, and the rollout is at step 2"),
    ("blue-green-paused", PROMOTE, {"step": 1}, "it was given for a step, and the rollout has none"),
    ("canary-gate-waits", PROMOTE, {}, "an analysis judges version 645bf85ff8 at step 2: nothing but a full promotion"),
    ("canary-deadline-exceeded", PROMOTE, {}, "nothing is paused at step 1 of version 84d97c8685"),
    ("canary-background-was-ended", RETRY, {}, "version 645bf85ff8 is not aborted"),
    ("canary-healthy", PROMOTE, {}, "version 7684585bc8 is promoted already"),
    ("canary-healthy", ABORT, {}, "version 7684585bc8 is promoted already: revert it in Git"),
    ("canary-healthy", RETRY, {}, "version 7684585bc8 is not aborted"),
    ("canary-aborted-by-hand", ABORT, {}, "version 645bf85ff8 is aborted already"),
    ("canary-aborted-by-hand", FULL, {}, "aborted already: `dispatch rollout retry` starts it again"),
    ("canary-aborted-by-hand", PROMOTE, {}, "aborted already: `dispatch rollout retry` starts it again"),
]


@pytest.mark.parametrize(("state", "kind", "other", "told"), TOLD)
def test_who_comes_too_late_is_told_why(state: str, kind: Wish, other: dict[str, Any], told: str) -> None:
    found = outdated(seen(state), wish(seen(state), kind, **other))
    assert found is not None
    assert told in found


def test_a_wish_from_before_the_pause_is_not_for_it() -> None:
    """The same version comes by the same step again after a retry."""
    rollout = seen(PAUSED)
    assert rollout.pause_since is not None
    assert outdated(rollout, wish(rollout, PROMOTE, at=rollout.pause_since)) is None
    before = wish(rollout, PROMOTE, at=rollout.pause_since - timedelta(seconds=1))
    assert "before the pause at step 2 began" in (outdated(rollout, before) or "")


def test_a_pause_that_dispatch_does_not_know_is_not_ended_by_it() -> None:
    rollout = replace(seen(PAUSED), pause="StepPluginPause")
    assert outdated(rollout, wish(rollout, PROMOTE)) == "Dispatch cannot end a pause for StepPluginPause"


@pytest.mark.parametrize("state", ROLLOUTS)
@pytest.mark.parametrize("kind", list(Wish))
def test_while_the_newest_spec_is_not_seen_nothing_is_taken_away(state: str, kind: Wish) -> None:
    rollout: RolloutSeen = replace(seen(state), observed=False)
    assert outdated(rollout, wish(rollout, kind, pod_hash="x", step=7)) is None
    assert outdated(rollout, wish(rollout, kind, uid="x")) is not None
