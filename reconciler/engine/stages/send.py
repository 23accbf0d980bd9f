"""Many objects to the server, with an ear for the order to stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.engine.progress import Abandoned
from reconciler.engine.world import World
from reconciler.model.change import Answer, Resource
from reconciler.model.outcome import Reason

_AT_ONCE = 200
"""Objects between two looks at the order to stop: well under a second of work, long enough to keep all connections
busy."""


def send(world: World, objects: Sequence[tuple[Resource, Mapping[str, Any]]], *, dry_run: bool = False) -> list[Answer]:
    """Server-side apply of the objects; an answer for each, in order. Raises Abandoned when the process is stopping:
    what was sent by then stays, and the next start goes on from there.
    """
    answers: list[Answer] = []
    for start in range(0, len(objects), _AT_ONCE):
        abandon(world)
        answers += world.cluster.apply(objects[start : start + _AT_ONCE], dry_run=dry_run)
    return answers


def abandon(world: World) -> None:
    """Raises Abandoned when the process is stopping: called between two writes."""
    if world.stopping():
        raise Abandoned(Reason.PROGRESSING, "stopping")
