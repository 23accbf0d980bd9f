"""Stage 6: what to do about each Rollout now, and doing it. The strategy decides; this carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.core.progressive.ended import ended_by_hand
from reconciler.core.progressive.measured import found
from reconciler.core.progressive.outdated import outdated
from reconciler.core.progressive.patches import abort_patch, promote_full_patch, release_patch, retry_patch
from reconciler.core.progressive.seen import see
from reconciler.core.progressive.template import read_mark
from reconciler.engine.actions import Action
from reconciler.engine.freezes import Times, closing
from reconciler.engine.progress import Act, Progress, Rolled
from reconciler.engine.stages.admit import policy
from reconciler.engine.stages.render import Goal
from reconciler.engine.stages.send import abandon
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.change import Refusal
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rollout import Asked, Decision, Limits, RolloutSeen, Verb, Wish
from reconciler.model.rollout_action import ActionState

Patch = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_PATCHED: Mapping[Verb, Callable[[RolloutSeen], Patch]] = {
    Verb.RELEASE: release_patch,
    Verb.PROMOTE_FULL: promote_full_patch,
    Verb.ABORT: abort_patch,
    Verb.RETRY: retry_patch,
}
_SAID = {
    Verb.RELEASE: ("Promoted", "promoted"),
    Verb.PROMOTE_FULL: ("Promoted", "promoted to the end"),
    Verb.ABORT: ("Aborted", "aborted"),
    Verb.RETRY: ("Retried", "started again"),
}
"""The word of the history, and that of a sentence."""
_UNPROCESSABLE = 422
_MESSAGE_KEPT = 1024
_ARGO = "argoproj.io/v1alpha1"


def roll(world: World, application: Application, goal: Goal, progress: Progress) -> None:
    """One decision for each Rollout of the goal; a person's wish that can no longer be met is answered."""
    patience = Limits(inconclusive=policy(application).inconclusive_deadline)
    for carrier, id in goal.rollouts.items():
        # First the wishes, then the Rollout: what is seen is never older than what somebody saw who asked.
        actions = [each for each in world.actions.open(progress.key) if each.rollout == id.name]
        seen = _look(world, id, asked=bool(actions))
        if seen is None:
            continue
        strategy = world.rolling.strategies.get(seen.strategy)
        if strategy is None:
            continue
        limits = replace(patience, closed=_closed(world, application, progress, seen, asked=bool(actions)))
        decision = strategy.decide(seen, [each.asked for each in actions], limits, world.clock.now())
        progress.soon(decision.again)
        done = _perform(world, progress, id, seen, decision, actions)
        template, commit = _version(world, carrier)
        decision, unjudged = _explained(world, progress, id, seen, decision, template)
        progress.rolled.append(Rolled(id, carrier, seen, decision, template, commit, done, unjudged))
        _answer_outdated(world, application, progress, seen, decision, actions)


def _closed(world: World, application: Application, progress: Progress, seen: RolloutSeen, asked: bool) -> str:
    """Why nothing goes forward now, by the times of the Promotions that the Application is an environment of. There is
    something to hold only while a version is on its way, or was aborted and somebody wants it again.
    """
    if not (seen.in_flight or (seen.aborted and asked)):
        return ""
    times = Times(world.rolling.gatekeeper, world.rolling.forecast)
    found = closing(world.catalog, world.live, times, application, seen, world.clock.now())
    progress.soon(found.again)
    return found.why


def _explained(
    world: World, progress: Progress, id: ObjectId, seen: RolloutSeen, decision: Decision, template: str
) -> tuple[Decision, bool]:
    """An aborted version with what was measured, which the controller's own words leave out; and whether nothing was:
    a metric that could not be asked says nothing of the version, so that a person must decide.
    """
    if decision.verb is not Verb.FAILED:
        return decision, False
    if (veto := progress.ledger.vetoed(template)) is not None:
        return replace(decision, why=veto.why), False
    analyses = world.cluster.resource(_ARGO, "AnalysisRun")
    if analyses is None:
        return decision, False
    told = found(world.cluster.listing(analyses, id.namespace, f"rollouts-pod-template-hash={seen.pod_hash}"))
    if not told.words:
        return decision, False
    why = f"version {seen.pod_hash} was aborted: {told.words}"
    if told.bad:
        return replace(decision, why=why), False
    return replace(decision, why=f"{why}. It was not judged: `dispatch rollout retry` starts it again"), True


def _version(world: World, carrier: ObjectId) -> tuple[str, str]:
    entry = world.live.get(carrier)
    return read_mark(entry.candidate) if entry is not None else ("", "")


def _look(world: World, id: ObjectId, asked: bool) -> RolloutSeen | None:
    """The Rollout as the watch has it; read anew where somebody asks something of it, and while a version is on its
    way, together with the analyses of that version: one that somebody ended counts for Argo Rollouts as a success, and
    for nothing here.
    """
    known = world.live.rollout(id)
    if known is None or not (asked or (known.in_flight and not known.first)):
        return known
    rollouts = world.cluster.resource(_ARGO, "Rollout")
    analyses = world.cluster.resource(_ARGO, "AnalysisRun")
    document = world.cluster.read(rollouts, id.namespace, id.name) if rollouts is not None else None
    if document is None or analyses is None:
        return known
    version = see(document).pod_hash
    runs = world.cluster.listing(analyses, id.namespace, f"rollouts-pod-template-hash={version}")
    return world.live.beside_its_workload(see(document, ended_by_hand(document, runs)))


def _perform(
    world: World,
    progress: Progress,
    id: ObjectId,
    seen: RolloutSeen,
    decision: Decision,
    actions: Sequence[Action],
) -> bool:
    """True when the server took it. Not, when somebody was quicker; and for what is no patch of a Rollout."""
    patched = _PATCHED.get(decision.verb)
    if patched is None:
        return False
    abandon(world)
    resource = world.cluster.resource(_ARGO, "Rollout")
    if resource is None:
        return False
    answer = world.cluster.patch(resource, id.namespace, id.name, patched(seen), "status")
    if isinstance(answer, Refusal):
        if answer.code == _UNPROCESSABLE:
            # Somebody was quicker: the guard found another step, version or pause. The next look sees what is there.
            progress.soon(1.0)
            return False
        raise Terminal(
            Reason.FORBIDDEN if answer.code == 403 else Reason.OBJECT_REFUSED,
            f"{id} could not be {_SAID[decision.verb][1]}: {answer.message}",
        )
    world.live.observe(answer)
    by = [each for each in actions if each.asked.name in decision.because_of]
    _tell(progress, id, seen, decision, by)
    for each in by:
        answer_action(world, each, ActionState.DONE, f"{_SAID[decision.verb][1]}: {decision.why}")
    return True


def _tell(progress: Progress, id: ObjectId, seen: RolloutSeen, decision: Decision, by: Sequence[Action]) -> None:
    """For the history and the event: what, who, which version, at which step, and why."""
    result, said = _SAID[decision.verb]
    who = ", ".join(dict.fromkeys(each.asked.by for each in by))
    reasons = "; ".join(filter(None, (each.document["spec"].get("reason") for each in by)))
    text = f"{id.name} (version {seen.pod_hash}){_place(seen)} {said}"
    text += f" by {who}" if who else f": {decision.why}"
    text = f"{text}: {reasons}" if reasons else text
    progress.acted.append(Act(result, Reason.ROLLOUT_ACTION, text, decision.verb is Verb.ABORT))


def _place(seen: RolloutSeen) -> str:
    if seen.step is None or not seen.steps:
        return ""
    return f" at step {seen.step + 1} of {seen.steps}" if seen.step < seen.steps else " after its steps"


def _answer_outdated(
    world: World,
    application: Application,
    progress: Progress,
    seen: RolloutSeen,
    decision: Decision,
    actions: Sequence[Action],
) -> None:
    """A wish that can no longer be met is answered, so that nobody waits for it; one for a step that was left since is
    done (this process may have died between the patch and its answer). One that the time holds is told why it waits.
    """
    for each in actions:
        if each.asked.name in decision.because_of:
            continue
        if _for_a_gate(application, seen, each.asked):
            _keep_waiting(world, each, decision)
            continue
        if _lifts(progress, seen, each.asked):
            progress.lifts.append(each)
            continue
        why = outdated(seen, each.asked)
        if why is None:
            _keep_waiting(world, each, decision)
            continue
        done = each.asked.pod_hash == seen.pod_hash and _left(seen, each.asked)
        answer_action(world, each, ActionState.DONE if done else ActionState.REFUSED, why)
        if done:
            progress.acted.append(_done_already(each, seen))


def _keep_waiting(world: World, action: Action, decision: Decision) -> None:
    """The wish stays open, and says what holds it; written where that is news."""
    if not decision.held or action.asked.wish is Wish.ABORT:
        return
    if (action.document.get("status") or {}).get("message") != decision.held[:_MESSAGE_KEPT]:
        answer_action(world, action, ActionState.PENDING, decision.held)


def _done_already(action: Action, seen: RolloutSeen) -> Act:
    version, asked = f"{action.rollout} (version {seen.pod_hash})", action.asked
    if asked.wish is Wish.ABORT:
        reason = action.document["spec"].get("reason")
        text = f"{version} aborted by {asked.by}" + (f": {reason}" if reason else "")
        return Act("Aborted", Reason.ROLLOUT_ACTION, text, warning=True)
    return Act("Promoted", Reason.ROLLOUT_ACTION, f"{version} step {(asked.step or 0) + 1} approved by {asked.by}")


def _left(seen: RolloutSeen, asked: Asked) -> bool:
    """Whether it has come true. `dispatch rollout abort` may have aborted by the person's own right, before us."""
    if asked.wish is Wish.ABORT:
        return seen.aborted
    if asked.wish is not Wish.PROMOTE:
        return False
    return seen.promoted or (asked.step is not None and seen.step is not None and seen.step > asked.step)


def _lifts(progress: Progress, seen: RolloutSeen, asked: Asked) -> bool:
    """A Retry where nothing is aborted (any more): Git has gone back, and somebody wants the version to come again."""
    return asked.wish is Wish.RETRY and asked.uid == seen.uid and not seen.aborted and bool(progress.ledger.vetoes)


def _for_a_gate(application: Application, seen: RolloutSeen, asked: Asked) -> bool:
    """The current step is a gate: what was asked is counted there, when Argo Rollouts asks."""
    canary = application.spec.strategy.canary
    if canary is None or asked.step is None or asked.pod_hash != seen.pod_hash or asked.step != seen.step:
        return False
    return asked.step < len(canary.steps) and canary.steps[asked.step].gate is not None


def answer_action(world: World, action: Action, state: ActionState, message: str) -> None:
    """Write the status of a RolloutAction. Lost with the process, it is written by the next run."""
    resource = world.cluster.resource("dispatch.dev/v1alpha1", "RolloutAction")
    if resource is None:
        return
    metadata = action.document["metadata"]
    status: Mapping[str, Any] = {
        "state": state.value,
        "message": message[:_MESSAGE_KEPT],
        "at": world.clock.now().isoformat().replace("+00:00", "Z"),
    }
    answer = world.cluster.patch(resource, metadata["namespace"], metadata["name"], {"status": status}, "status")
    if isinstance(answer, dict):
        world.actions.observe(answer)
