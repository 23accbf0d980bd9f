"""Wishes that have come too late: why what a person asked of a Rollout cannot be carried out any more."""

from __future__ import annotations

from reconciler.model.rollout import AnalysisKind, Asked, RolloutSeen, Wish

_ENDED_BY_PEOPLE = frozenset({"CanaryPauseStep", "BlueGreenPause"})


def outdated(seen: RolloutSeen, asked: Asked) -> str | None:
    """A sentence for the person, None while the wish may still be carried out.

    It is for the status of the RolloutAction: a strategy ignores such a wish, and nobody would say so. While the
    controller has not seen the newest spec nothing of the status counts, so only another Rollout makes it outdated.
    One that a gate asks for is none: who knows the gates does not ask here.
    """
    if asked.uid != seen.uid:
        return "it was given for another Rollout of this name, which is gone"
    if not seen.observed:
        return None
    if asked.pod_hash != seen.pod_hash:
        return f"the version has moved on: it was given for {asked.pod_hash}, and the rollout is at {seen.pod_hash}"
    version = f"version {seen.pod_hash}"
    if asked.wish is Wish.RETRY:
        return None if seen.aborted else f"{version} is not aborted: there is nothing to try again"
    if seen.promoted:
        return f"{version} is promoted already" + (": revert it in Git" if asked.wish is Wish.ABORT else "")
    if seen.aborted:
        retry = ": `dispatch rollout retry` starts it again"
        return f"{version} is aborted already" + ("" if asked.wish is Wish.ABORT else retry)
    return _pause_gone(seen, asked) if asked.wish is Wish.PROMOTE else None


def _pause_gone(seen: RolloutSeen, asked: Asked) -> str | None:
    """The version is the right one: is it still where the person saw it?"""
    if asked.step != seen.step:
        return _other_step(seen, asked)
    here = "" if seen.step is None else f" at {_words(seen.step, seen.steps)}"
    if not seen.pause:
        if _step_is_judged(seen):
            return f"an analysis judges version {seen.pod_hash}{here}: nothing but a full promotion passes over it"
        return f"nothing is paused{here} of version {seen.pod_hash}"
    if seen.pause_since is not None and asked.at < seen.pause_since:
        return f"it was given before the pause{here} began, so not for what led to it: look again, and ask again"
    if seen.pause.startswith("Inconclusive") or any(run.status == "Inconclusive" for run in seen.analyses):
        return None
    return None if seen.pause in _ENDED_BY_PEOPLE else f"Dispatch cannot end a pause for {seen.pause}"


def _other_step(seen: RolloutSeen, asked: Asked) -> str:
    if seen.step is None:
        return "it was given for a step, and the rollout has none"
    here = _words(seen.step, seen.steps)
    if asked.step is None:
        return f"it names no step, and the rollout is at {here}"
    there = _words(asked.step, seen.steps)
    return f"the step has moved on: it was given for {there} of version {asked.pod_hash}, and the rollout is at {here}"


def _words(step: int, steps: int) -> str:
    """Counted from 1, as people do."""
    return f"step {step + 1}" if step < steps else "the end of its steps"


def _step_is_judged(seen: RolloutSeen) -> bool:
    running = ("", "Pending", "Running")
    return any(run.kind is AnalysisKind.STEP and not run.terminated and run.status in running for run in seen.analyses)
