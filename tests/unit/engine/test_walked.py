"""What versions on their way make of an Application's `Ready`."""

from __future__ import annotations

from reconciler.engine.keys import Key
from reconciler.engine.progress import Progress, Rolled
from reconciler.engine.walked import walked
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import Reason
from reconciler.model.rollout import Decision, Phase, RolloutSeen, Verb


def rolled(name: str, verb: Verb, phase: Phase) -> Rolled:
    id = ObjectId("argoproj.io", "Rollout", "a", name)
    seen = RolloutSeen(id, "u", "canary", True, phase, "", "new", "old")
    return Rolled(id, id, seen, Decision(verb, f"{name} says why"))


def told(*found: Rolled) -> tuple[bool | None, Reason, bool]:
    progress = Progress(Key("Application", "a", "web"))
    progress.rolled.extend(found)
    verdict = walked(progress, "main")
    assert verdict is not None
    return verdict.ready, verdict.reason, verdict.reconciling


def test_a_pause_waits_for_a_person() -> None:
    assert told(rolled("web", Verb.HOLD, Phase.PAUSED)) == (None, Reason.ROLLOUT_PAUSED, True)


def test_a_rollout_that_only_git_can_mend_is_no_pause() -> None:
    """Its spec is refused, or its first version never got ready: nobody can approve that."""
    assert told(rolled("web", Verb.HOLD, Phase.DEGRADED)) == (False, Reason.DEGRADED, False)


def test_what_is_broken_is_told_before_what_moves() -> None:
    moving, paused = rolled("api", Verb.WAIT, Phase.PROGRESSING), rolled("db", Verb.HOLD, Phase.PAUSED)
    broken = rolled("web", Verb.HOLD, Phase.DEGRADED)
    assert told(moving, paused, broken)[1] is Reason.DEGRADED
    assert told(moving, paused)[1] is Reason.ROLLOUT_PAUSED
