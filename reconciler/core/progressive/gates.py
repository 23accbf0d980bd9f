"""What a gate answers to Argo Rollouts: pass, wait or fail.

A verdict is about one version at one step of one Rollout, and is given from what was last seen of the cluster, which
may be behind it. So `pass` needs everything to fit, `fail` needs a person who said so, and all doubt is `wait`. That
another version has taken over is doubt, too: Argo Rollouts ends the analyses of the old one by itself, so nothing is
gained by failing them, while a look that is behind would abort the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.model.resource import format_duration
from reconciler.model.rollout import Asked, RolloutSeen, Verdict, Wish
from reconciler.model.strategy import Gate, HealthyGate

Judged = tuple[Verdict, str]


def verdict(
    gate: Gate | None,
    seen: RolloutSeen | None,
    pod_hash: str,
    step: int,
    approvals: Sequence[Asked],
    ready_since: Mapping[str, datetime | None],
    now: datetime,
    closed: str = "",
) -> Judged:
    """The answer, and why in a sentence (in which steps count from 1, as people do).

    `gate` is the one at this step of the Application's spec, `seen` the Rollout, both None when there is none.
    `approvals` are the wishes about the Rollout that were not refused, without the Promotes that were carried out:
    those are spent, and a version that comes again has the same hash and the same steps. `ready_since` tells since when
    each Application is Ready without a break, None for one that is not. `closed` is why nothing goes forward at this
    time: an abort goes back, and is answered before.
    """
    if seen is None:
        return Verdict.WAIT, "Dispatch does not know this Rollout"
    ours = [each for each in approvals if each.uid == seen.uid and each.pod_hash == pod_hash]
    turned = _last_turn(ours)
    if turned is not None and turned.wish is Wish.ABORT:
        return Verdict.FAIL, f"{turned.by} asked to abort this version"
    if gate is None:
        return Verdict.WAIT, f"the Application has no gate at step {step + 1}"
    doubt = _doubt(seen, pod_hash, step)
    if doubt:
        return Verdict.WAIT, doubt
    if closed:
        return Verdict.WAIT, f"step {step + 1} waits: {closed}"
    return _judged(gate, step, ours if turned is None else _after(ours, turned), ready_since, now)


def _last_turn(wishes: Sequence[Asked]) -> Asked | None:
    """The newest Abort or Retry. Of two at the same second (the server's times have no more) the Abort counts."""
    turns = [each for each in wishes if each.wish in (Wish.ABORT, Wish.RETRY)]
    return max(turns, key=lambda each: (each.at, each.wish is Wish.ABORT), default=None)


def _after(wishes: Sequence[Asked], turn: Asked) -> list[Asked]:
    """A version that starts again needs its approvals again."""
    return [each for each in wishes if each.at > turn.at]


def _doubt(seen: RolloutSeen, pod_hash: str, step: int) -> str:
    """Why the Rollout is not, or not surely, at this step with this version; empty when it is."""
    if not seen.observed:
        return "Argo Rollouts has not looked at the newest spec yet"
    if seen.pod_hash != pod_hash:
        return f"the newest version is {seen.pod_hash or 'not known'}, not {pod_hash}"
    if seen.aborted:
        return "this version was aborted"
    if seen.invalid:
        return f"the Rollout's spec is not valid: {seen.message}"
    if seen.step is None:
        return "the Rollout has no steps"
    if seen.step != step:
        return f"the Rollout is at step {seen.step + 1} of {seen.steps}, not at step {step + 1}"
    return ""


def _judged(
    gate: Gate, step: int, wishes: Sequence[Asked], ready_since: Mapping[str, datetime | None], now: datetime
) -> Judged:
    passed = []
    # A gate that names nothing is not an open door: it waits for a person.
    if gate.approval or gate.healthy is None:
        given = [each for each in wishes if each.wish is Wish.PROMOTE and each.step == step]
        if not given:
            return Verdict.WAIT, f"step {step + 1} waits for an approval: `dispatch rollout promote`"
        passed.append(f"approved by {', '.join(dict.fromkeys(each.by for each in given))}")
    if gate.healthy is not None:
        unready = _unready(gate.healthy, ready_since, now)
        if unready:
            return Verdict.WAIT, unready
        passed.append(f"{', '.join(gate.healthy.applications)} Ready")
    return Verdict.PASS, "; ".join(passed)


def _unready(gate: HealthyGate, ready_since: Mapping[str, datetime | None], now: datetime) -> str:
    """Which Application is not Ready for long enough; empty when all are."""
    for name in gate.applications:
        since = ready_since.get(name)
        if since is None:
            return f"Application {name} is not Ready"
        lasted = (now - since).total_seconds()
        if lasted < gate.duration:
            asked = format_duration(gate.duration)
            return f"Application {name} is Ready for {format_duration(max(int(lasted), 0))} of {asked}"
    return ""
