"""Before the admission: a person lifts the veto on a version that was aborted and taken back."""

from __future__ import annotations

from reconciler.core.ledger import lifted
from reconciler.engine.actions import Action
from reconciler.engine.memory import Memory
from reconciler.engine.progress import Act, Progress
from reconciler.engine.remembered import remembered
from reconciler.engine.stages.admit import seen_source
from reconciler.engine.stages.render import Goal
from reconciler.engine.stages.roll import answer_action
from reconciler.engine.stages.send import abandon
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.identity import ObjectId
from reconciler.model.ledger import Ledger
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rollout import Wish
from reconciler.model.rollout_action import ActionState


def lift(world: World, application: Application, proposed: Goal, memory: Memory, progress: Progress) -> None:
    """Nothing, unless somebody asked to retry a Rollout that does not stand aborted, and there are vetoes: then the one
    on what Git wants is lifted, or the newest where Git wants none of them (it may have been reverted already). A
    version that stands aborted is started again by the strategy, and its veto goes with that.

    The ledger is written before the action is answered. Raises as `Ledgers.write`, but for a repository that may not
    be written: there the process remembers.
    """
    wishes = [each for each in world.actions.open(progress.key) if each.asked.wish is Wish.RETRY]
    if not wishes or not proposed.carriers:
        return
    seen = seen_source(world, application)
    ledger = world.ledgers.read(progress.key, seen) or memory.unwritten or remembered(application.status)
    for carrier, digest in proposed.carriers.items():
        asked = _asked(world, proposed, carrier, wishes)
        veto = ledger.vetoed(digest) or max(ledger.vetoes, key=lambda each: each.at, default=None)
        if not asked or veto is None:
            continue
        abandon(world)
        ledger = lifted(ledger, veto.template)
        text = f"the veto on {veto.commit[:10]} ({', '.join(veto.images)}) is lifted by {asked[0].asked.by}"
        _write(world, application, memory, progress, ledger, text)
        progress.acted.append(Act("Retried", Reason.ROLLOUT_ACTION, text))
        for each in asked:
            answer_action(world, each, ActionState.DONE, text)


def _asked(world: World, proposed: Goal, carrier: ObjectId, wishes: list[Action]) -> list[Action]:
    """The wishes about the Rollout of this carrier as it is now, if it does not stand aborted."""
    id = proposed.rollouts.get(carrier)
    now = world.live.rollout(id) if id is not None else None
    if id is None or now is None or now.aborted or not now.observed:
        return []
    return [
        each
        for each in wishes
        if (each.rollout, each.asked.uid, each.asked.pod_hash) == (id.name, now.uid, now.pod_hash)
    ]


def _write(
    world: World, application: Application, memory: Memory, progress: Progress, ledger: Ledger, event: str
) -> None:
    try:
        world.ledgers.write(progress.key, seen_source(world, application), ledger, event)
        memory.unwritten = None
    except Terminal:
        memory.unwritten = ledger
