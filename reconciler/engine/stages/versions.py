"""Stage 6, second half: what became of a version is written down in Git: promoted, or aborted and not to come back."""

from __future__ import annotations

from reconciler.core.ledger import lifted, promoted, vetoed
from reconciler.core.progressive.template import images
from reconciler.engine.actions import Action
from reconciler.engine.memory import Memory
from reconciler.engine.progress import Act, Progress, Rolled
from reconciler.engine.stages.admit import seen_source
from reconciler.engine.stages.render import Goal
from reconciler.engine.stages.roll import answer_action
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.ledger import Ledger, Promoted, Veto
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.model.rollout import Verb
from reconciler.model.rollout_action import ActionState

_AGAIN = 10.0
"""Seconds until an entry that could not be written is tried again."""


def write_down(world: World, application: Application, goal: Goal, memory: Memory, progress: Progress) -> None:
    """Bring the ledger up to what this run has seen; nothing is written when it says so already."""
    if not progress.rolled:
        return
    ledger, events = progress.ledger, list[Act]()
    for rolled in progress.rolled:
        ledger = _judge(world, goal, ledger, rolled, events)
    for action in progress.lifts:
        ledger = _lift(ledger, action, events)
    if (entry := _promotion(world, goal, ledger, progress)) is not None:
        ledger = promoted(ledger, entry.commit, entry.templates, entry.at)
        text = f"{', '.join(sorted(entry.templates))} promoted at {entry.commit[:10]}"
        events.append(Act("Promoted", Reason.PROMOTED, text))
    if ledger != progress.ledger:
        progress.ledger = ledger
        if ledger == memory.unwritten:
            return
        progress.acted += events
        _push(world, application, memory, progress, ledger, "; ".join(act.text for act in events))
    for action in progress.lifts:
        answer_action(world, action, ActionState.DONE, "the vetoes are lifted: the next run takes the version up")
    if progress.lifts:
        progress.wakes.append(progress.key)


def _lift(ledger: Ledger, action: Action, events: list[Act]) -> Ledger:
    """All vetoes of the Application: a person has said that what was aborted may come again."""
    for veto in ledger.vetoes:
        text = f"the veto on {veto.commit[:10]} is lifted by {action.asked.by}"
        events.append(Act("Retried", Reason.ROLLOUT_ACTION, text))
        ledger = lifted(ledger, veto.template)
    return ledger


def _judge(world: World, goal: Goal, ledger: Ledger, rolled: Rolled, events: list[Act]) -> Ledger:
    template, commit = rolled.template, rolled.commit
    if rolled.decision.verb is Verb.RETRY and ledger.vetoed(template):
        text = f"the veto on {rolled.id.name} at {commit[:10]} is lifted"
        events.append(Act("Retried", Reason.ROLLOUT_ACTION, text))
        return lifted(ledger, template)
    # An abort of our own is written down at once: the controller will say only that there was one, and not why.
    failed = rolled.decision.verb is Verb.FAILED and not rolled.unjudged
    bad = failed or (rolled.decision.verb is Verb.ABORT and rolled.carried_out)
    if not bad or not template or ledger.vetoed(template):
        return ledger
    manifest = next((wanted.manifest for wanted in goal.wanted if wanted.id == rolled.carrier), None)
    ran = images(manifest.document) if manifest is not None and goal.carriers.get(rolled.carrier) == template else ()
    veto = Veto(template, ran, commit, rolled.decision.why, _aborted_by(world, rolled), world.clock.now())
    text = f"{rolled.id.name} at {commit[:10]} was aborted and is vetoed: {rolled.decision.why}"
    events.append(Act("Aborted", Reason.ROLLOUT_ABORTED, text, warning=True))
    return vetoed(ledger, veto)


def _aborted_by(world: World, rolled: Rolled) -> str:
    """The person whose wish it was, for this version; empty when an analysis or a deadline did it."""
    owner = world.live.get(rolled.id)
    key = world.catalog.owner(owner.applyset) if owner is not None else None
    if key is None:
        return ""
    wishes = [each for each in world.actions.approvals(key) if each.wish.value == "Abort"]
    return next((each.by for each in reversed(wishes) if each.pod_hash == rolled.seen.pod_hash), "")


def _promotion(world: World, goal: Goal, ledger: Ledger, progress: Progress) -> Promoted | None:
    """The versions of all workloads, once every one of them has gone all the way; None when nothing is new."""
    if not progress.rolled or any(rolled.decision.verb is not Verb.PROMOTED for rolled in progress.rolled):
        return None
    if len(progress.rolled) != len(goal.rollouts) or progress.revision is None:
        return None
    if any(goal.carriers.get(rolled.carrier) != rolled.template for rolled in progress.rolled):
        return None
    versions = {id.name: digest for id, digest in goal.carriers.items()}
    known = ledger.promoted is not None and dict(ledger.promoted.templates) == versions
    if known and not any(ledger.vetoed(digest) for digest in versions.values()):
        return None
    return Promoted(progress.revision.commit, versions, world.clock.now())


def _push(
    world: World, application: Application, memory: Memory, progress: Progress, ledger: Ledger, event: str
) -> None:
    """A repository that may not be written costs the memory of a rebuild, not the deployment: it is told once."""
    try:
        world.ledgers.write(progress.key, seen_source(world, application), ledger, event)
        memory.unwritten = None
    except Terminal as refused:
        memory.unwritten = ledger
        progress.told.append(
            (Reason.REVERT_FAILED, f"Git does not remember what was promoted and vetoed: {refused.message}")
        )
    except Transient as problem:
        progress.told.append((problem.reason, f"the ledger is written later: {problem.message}"))
        progress.soon(_AGAIN)
