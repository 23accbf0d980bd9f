"""RolloutActions that were answered long ago are taken away: the history, the events and Git tell of them."""

from __future__ import annotations

from datetime import timedelta

from reconciler.engine.progress import Progress
from reconciler.engine.stages.send import abandon
from reconciler.engine.world import World

KEPT = timedelta(days=30)


def sweep(world: World, progress: Progress) -> None:
    """Those older than `KEPT`, but for the present versions: their approvals still count."""
    present = {rolled.seen.pod_hash for rolled in progress.rolled}
    now = world.clock.now()
    old = [
        action
        for action in world.actions.answered(progress.key)
        if action.asked.pod_hash not in present and now - action.asked.at > KEPT
    ]
    resource = world.cluster.resource("dispatch.dev/v1alpha1", "RolloutAction") if old else None
    if resource is None:
        return
    abandon(world)
    found = [action.document["metadata"] for action in old]
    world.cluster.delete([(resource, each["namespace"], each["name"], each["uid"]) for each in found])
