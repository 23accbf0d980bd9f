"""What both ways of walking a version out decide alike: one look at a Rollout, one decision.

The rules stand in one list, and the first that has an answer gives it. Ending a version comes before everything that
lets it go on, and nothing goes on that nobody asked for: Argo Rollouts itself moves what may move by itself.

In a closed time (`Limits.closed`) nothing goes on that was asked for, either: the wish waits. What ends a version is
decided as at any other time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.model.rollout import AnalysisKind, Asked, Decision, Limits, Phase, RolloutSeen, Verb, Wish

_JUDGING = frozenset({AnalysisKind.STEP, AnalysisKind.BACKGROUND, AnalysisKind.PRE_PROMOTION})
"""Analyses that a version must pass before it is promoted. One after the promotion ends too late for an abort."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `manual` is the reason of the pause that this strategy makes for people."""

    seen: RolloutSeen
    asked: Sequence[Asked]
    limits: Limits
    now: datetime
    manual: str

    def wishes(self, wish: Wish) -> list[Asked]:
        """The wishes of that kind for exactly the version that is seen, by name."""
        seen = self.seen
        if not (seen.uid and seen.pod_hash):
            return []
        meant = [one for one in self.asked if (one.wish, one.uid, one.pod_hash) == (wish, seen.uid, seen.pod_hash)]
        return sorted(meant, key=lambda one: one.name)

    def releases(self) -> list[Asked]:
        """The wishes to end exactly the pause that is seen. One from before the pause is none: a version that is tried
        again has the same hash and comes by the same steps.
        """
        seen = self.seen
        if seen.strategy == "canary" and seen.step is None and seen.pause == self.manual:
            return []
        since = seen.pause_since
        return [
            one for one in self.wishes(Wish.PROMOTE) if one.step == seen.step and (since is None or one.at >= since)
        ]

    def says(self, verb: Verb, why: str, again: float | None = None, asked: Sequence[Asked] = ()) -> Decision:
        """The answer of a rule; `asked` are the wishes that it carries out."""
        names = tuple(one.name for one in asked)
        return Decision(verb, why, self.seen.pod_hash, self.seen.step, again, names)

    def left(self, since: datetime | None, patience: float) -> float:
        """The seconds that are left of `patience`: all of them when nothing tells since when, none below zero."""
        gone = (self.now - since).total_seconds() if since is not None else 0.0
        return max(patience - max(gone, 0.0), 0.0)

    @property
    def version(self) -> str:
        """`version abc at step 2 of 4`, counted from 1 as people do; for blue/green without the step."""
        seen = self.seen
        name = f"version {seen.pod_hash or 'unknown'}"
        if seen.step is None:
            return name
        return (
            f"{name} at step {seen.step + 1} of {seen.steps}" if seen.step < seen.steps else f"{name} after its steps"
        )


Rule = Callable[[Look], Decision | None]


def judge(look: Look) -> Decision:
    """The decision about one Rollout. The same look gives the same decision; never raises."""
    decision = next((found for rule in _RULES if (found := rule(look)) is not None), None) or _moving(look)
    return _in_time(look, decision)


def _in_time(look: Look, decision: Decision) -> Decision:
    """The decision, as far as the time lets a version go forward. The first version of a Rollout goes to nobody who has
    another one, and is not held.
    """
    closed, seen = look.limits.closed, look.seen
    if not closed or seen.first:
        return decision
    if decision.verb is Verb.RETRY:
        # It stays aborted, and why is written down: not what somebody asks for meanwhile.
        return replace(look.says(Verb.FAILED, _was_aborted(look)), held=closed)
    if decision.verb in (Verb.RELEASE, Verb.PROMOTE_FULL):
        return replace(decision, verb=Verb.WAIT, why=f"{decision.why}, once it may", because_of=(), held=closed)
    # What Argo Rollouts takes on by itself (after a pause for a time, to the end) is not said to be held.
    alone = (seen.timed and seen.pause == look.manual) or seen.promoted or seen.promote_full
    stands = seen.observed and not seen.invalid and decision.verb in (Verb.WAIT, Verb.HOLD)
    return replace(decision, held=closed) if stands and not alone else decision


def _unobserved(look: Look) -> Decision | None:
    seen, silent = look.seen, look.limits.silent
    if seen.observed:
        return None
    left = look.left(seen.moved, silent)
    why = seen.message or "waiting for Argo Rollouts to see the Rollout"
    if left > 0:
        return look.says(Verb.WAIT, why, again=left)
    return look.says(
        Verb.WAIT,
        f"{why}; Argo Rollouts is silent: it has given no sign for {_seconds(look.now, seen.moved)}. "
        "Nothing is done until it does: look whether its controller runs",
        again=silent,
    )


def _invalid(look: Look) -> Decision | None:
    if not look.seen.invalid:
        return None
    return look.says(Verb.HOLD, f"Argo Rollouts refuses the Rollout: {_told(look)}. Mend it in Git")


def _aborted(look: Look) -> Decision | None:
    if not look.seen.aborted:
        return None
    if look.seen.promoted:
        # The controller takes an abort off the version that is the stable one: there is no other to go back to.
        return look.says(Verb.WAIT, f"{look.version} is the stable one: Argo Rollouts drops the abort")
    again = look.wishes(Wish.RETRY)
    if again and not look.wishes(Wish.ABORT):
        return look.says(Verb.RETRY, f"{look.version} starts again, as {_people(again)} asked", asked=again)
    return look.says(Verb.FAILED, _was_aborted(look))


def _was_aborted(look: Look) -> str:
    kept = ". Its pods stay as long as spec.paused stops the Rollout" if look.seen.spec_paused else ""
    return f"{look.version} was aborted: {_told(look)}{kept}"


def _asked_to_abort(look: Look) -> Decision | None:
    asked = look.wishes(Wish.ABORT)
    if not asked or look.seen.promoted:
        return None
    return look.says(Verb.ABORT, f"{look.version} is aborted, as {_people(asked)} asked", asked=asked)


def _terminated(look: Look) -> Decision | None:
    seen = look.seen
    # With a full promotion nothing is judged any more: the controller itself ends what runs.
    if seen.promoted or seen.promote_full:
        return None
    ended = [run.name for run in seen.analyses if run.terminated and run.kind in _JUDGING]
    if not ended:
        return None
    return look.says(Verb.ABORT, f"{look.version}: somebody ended the analysis {', '.join(ended)}, which is no pass")


def _stuck(look: Look) -> Decision | None:
    seen = look.seen
    if seen.stuck_since is None:
        return None
    if left := look.left(seen.stuck_since, look.limits.settle):
        return look.says(Verb.WAIT, f"{look.version} is past its progress deadline: it may recover", again=left)
    if seen.promoted or seen.first:
        why = f"{look.version} is past its progress deadline, and nothing is there to go back to: {_told(look)}"
        return look.says(Verb.HOLD, f"{why}. Mend it in Git")
    return look.says(Verb.ABORT, f"{look.version} is past its progress deadline: {_told(look)}")


def _promoted(look: Look) -> Decision | None:
    seen = look.seen
    if not seen.promoted:
        return None
    skipped = ". It is the first version of this Rollout: Argo Rollouts skipped all steps and analyses"
    first = skipped if seen.revision == 1 else ""
    if seen.phase is Phase.HEALTHY:
        return look.says(Verb.PROMOTED, f"version {seen.pod_hash} is promoted{first}")
    if seen.spec_paused:
        return _stopped(look)
    why = f"version {seen.pod_hash} is the stable one, and not Healthy yet: {_told(look)}"
    return look.says(Verb.WAIT, why + first)


def _stopped(look: Look) -> Decision | None:
    """The controller keeps every step where it is then, a released one too (completedCurrentCanaryStep)."""
    if not look.seen.spec_paused:
        return None
    return look.says(Verb.HOLD, f"{look.version}: the Rollout is paused by spec.paused. Set it to false to go on")


def _asked_for_all(look: Look) -> Decision | None:
    if look.seen.promote_full:
        return look.says(Verb.WAIT, f"{look.version}: what is left of the steps is being skipped")
    asked = look.wishes(Wish.PROMOTE_FULL)
    if not asked:
        return None
    return look.says(Verb.PROMOTE_FULL, f"{look.version} skips what is left, as {_people(asked)} asked", asked=asked)


def _inconclusive(look: Look) -> Decision | None:
    """Nobody decides for ever: an analysis that cannot tell is a question to a person, with a deadline."""
    seen = look.seen
    runs = [run for run in seen.analyses if run.status == "Inconclusive"]
    if not seen.pause or not (runs or seen.pause.startswith("Inconclusive")):
        return None
    which = f"{look.version}: {', '.join(run.name for run in runs) or 'the analysis'} cannot tell good from bad"
    # Only that of a step can be left behind: the controller starts any other anew.
    effect = "passes over it" if any(run.kind is AnalysisKind.STEP for run in runs) else "has it asked again"
    if seen.pause == look.manual:
        effect = f"ends the pause and {effect}"
    if asked := look.releases():
        return look.says(Verb.RELEASE, f"{which}; {_people(asked)} {effect}", asked=asked)
    left = look.left(seen.pause_since, look.limits.inconclusive)
    if not left:
        return look.says(Verb.ABORT, f"{which}, and nobody decided within {look.limits.inconclusive:.0f} s")
    ways = f"`dispatch rollout promote` {effect}, `dispatch rollout abort` goes back"
    return look.says(Verb.HOLD, f"{which}. {ways}; without an answer it is aborted", again=left)


def _paused(look: Look) -> Decision | None:
    seen = look.seen
    if not seen.pause:
        return None
    if seen.pause != look.manual:
        return look.says(Verb.HOLD, f"{look.version} is paused for {seen.pause}, which only a person can judge")
    if asked := look.releases():
        return look.says(Verb.RELEASE, f"{look.version} goes on, as {_people(asked)} asked", asked=asked)
    if seen.timed:
        return look.says(Verb.WAIT, f"{look.version} is paused for a time, and goes on by itself")
    return look.says(Verb.HOLD, f"{look.version} waits for a person: `dispatch rollout promote`")


def _moving(look: Look) -> Decision:
    seen = look.seen
    if seen.first:
        return look.says(Verb.WAIT, f"{look.version} is the first: Argo Rollouts skips all steps and analyses")
    if seen.phase is Phase.UNKNOWN:
        return look.says(Verb.WAIT, f"{look.version} is in a phase that Dispatch does not know: {_told(look)}")
    return look.says(Verb.WAIT, f"{look.version} is under way: {_told(look)}")


_RULES: tuple[Rule, ...] = (
    _unobserved,
    _invalid,
    _aborted,
    _asked_to_abort,
    _terminated,
    _stuck,
    _promoted,
    _stopped,
    _asked_for_all,
    _inconclusive,
    _paused,
)


def _told(look: Look) -> str:
    """The controller's own words."""
    return look.seen.message.rstrip(".") or f"it says {look.seen.phase}"


def _people(asked: Sequence[Asked]) -> str:
    return " and ".join(dict.fromkeys(one.by for one in asked))


def _seconds(now: datetime, since: datetime | None) -> str:
    return f"{max((now - since).total_seconds(), 0.0):.0f} s" if since is not None else "as long as is known"
