"""PromotionActions of versions that are gone are taken away: the status, the events and Git tell what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.promotion_past import is_over
from reconciler.engine.keys import Key
from reconciler.engine.stages.send import abandon
from reconciler.engine.stages.sweep import KEPT
from reconciler.engine.world import World
from reconciler.model.promotion import EnvironmentState


def sweep(world: World, promotion: Key, states: Sequence[EnvironmentState]) -> None:
    """Those older than `KEPT`, but for what the status (one state for each environment but the first) still names."""
    now, old = world.clock.now(), []
    for action in world.catalog.actions_of(promotion):
        key = Key("PromotionAction", promotion.namespace, action.metadata.name)
        metadata = (world.catalog.document(key) or {}).get("metadata") or {}
        made = metadata.get("creationTimestamp")
        if made and now - datetime.fromisoformat(made) > KEPT and is_over(action, states):
            old.append(metadata)
    resource = world.cluster.resource("dispatch.dev/v1alpha1", "PromotionAction") if old else None
    if resource is None:
        return
    abandon(world)
    world.cluster.delete([(resource, each["namespace"], each["name"], each["uid"]) for each in old])
