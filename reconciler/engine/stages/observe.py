"""Stage 5: the health of what was applied, as the watches last saw it. Nobody waits here: a change wakes the key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.desired import Wanted
from reconciler.engine.stages.render import Goal
from reconciler.engine.world import World
from reconciler.model.health import Health, Level
from reconciler.model.identity import ObjectId

_MISSING = Health(Level.MISSING, "it is not in the cluster")


def observe(world: World, goal: Goal) -> dict[ObjectId, Health]:
    """The health of each wanted object."""
    found = world.live.health([wanted.id for wanted in goal.wanted])
    return {id: health if health is not None else _MISSING for id, health in found.items()}


def unready(world: World, stages: Iterable[Sequence[Wanted]]) -> list[ObjectId]:
    """The objects of these stages that a later stage must wait for."""
    ids = [wanted.id for stage in stages for wanted in stage]
    found = world.live.health(ids)
    return [id for id in ids if (health := found[id]) is None or health.level is not Level.HEALTHY]


def settled(world: World, stage: Sequence[Wanted]) -> bool:
    """True when every object of the stage was judged as Git wants it now."""
    for wanted in stage:
        entry = world.live.get(wanted.id)
        if entry is None or entry.verdict is None or entry.verdict.wanted != wanted.digest:
            return False
    return True
