"""Where an environment stands after a look, and when it is looked at again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from reconciler.engine.world import World
from reconciler.model.outcome import Blocked, StageError, Transient
from reconciler.model.promotion import EnvironmentState, PromotionState

_LOOK = 15.0
"""Seconds between two looks at what waits: a pull request, a time, a gate."""
_SOON = 3.0
_MOMENT = 0.1
"""After a time has come: no clock is exact to the last."""


def stood(world: World, known: EnvironmentState, take: Callable[[], EnvironmentState]) -> EnvironmentState:
    """The new state of one environment. What fails there is its own: the others go on. Raises Transient, and what comes
    of the process being stopped.
    """
    try:
        found = take()
    except Transient:
        raise
    except StageError as problem:
        if world.stopping():
            raise
        state = PromotionState.WAITING if isinstance(problem, Blocked) else PromotionState.FAILED
        found = known.model_copy(update={"state": state, "message": problem.message})
    if not found.number and found.state is not PromotionState.CURRENT:
        # A pull request that is not looked at now is not forgotten: a newer version closes it.
        kept = ("number", "pull_request", "proposed", "head", "upon", "digest", "rendered")
        found = found.model_copy(update={name: getattr(known, name) for name in kept})
    moved = (found.state, found.candidate) != (known.state, known.candidate)
    return found.model_copy(update={"since": world.clock.now() if moved else known.since})


def next_look(states: Sequence[EnvironmentState], now: datetime) -> float | None:
    """Seconds. None where everything is as it should be and nothing is open: a new version wakes the key. Soon where
    only the forge is asked for: it works out in the background whether it can merge. At the moment at which a soak is
    over or a window opens.
    """
    if all(each.state is PromotionState.CURRENT and not each.number for each in states):
        return None
    ripe = any(each.state is PromotionState.OPEN and all(gate.is_open for gate in each.gates) for each in states)
    opens = [each.earliest - now for each in states if each.earliest is not None and each.earliest > now]
    return min([_SOON if ripe else _LOOK, *(left.total_seconds() + _MOMENT for left in opens)])
