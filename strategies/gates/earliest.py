"""When a version can go on at the earliest, as far as that is a matter of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cronsim import CronSimError

from reconciler.model.promotion import PromotionGate
from strategies.gates import window

_STEPS = 1000
"""Openings that are looked at. What is closed at all of them does not open in a time that anybody waits for."""


def earliest(gates: Sequence[PromotionGate], ready_since: datetime | None, now: datetime) -> datetime | None:
    """The first moment from `now` on at which the soak is over, the windows are open and no freeze is on; what people
    and programs have to say is left out. In UTC. `now` itself where nothing is closed.

    None where that cannot be told: the version is not Ready in the environment before, the line is stopped by hand, a
    schedule cannot be read, or there is no such moment.
    """
    if any(gate.hold for gate in gates):
        return None
    moment = now.astimezone(UTC)
    for gate in gates:
        if gate.healthy_for is not None:
            if ready_since is None:
                return None
            moment = max(moment, ready_since.astimezone(UTC) + timedelta(seconds=gate.healthy_for))
    try:
        return _open_from(gates, moment)
    except (CronSimError, StopIteration):
        return None


def _open_from(gates: Sequence[PromotionGate], moment: datetime) -> datetime | None:
    for _ in range(_STEPS):
        later = max((_opens(gate, moment) for gate in gates), default=moment)
        if later <= moment:
            return moment
        moment = later
    return None


def _opens(gate: PromotionGate, moment: datetime) -> datetime:
    """The moment itself where the gate is open then, else the next at which it may be."""
    if gate.window is not None and window.ends(gate.window, moment) is None:
        return window.begins(gate.window, moment).astimezone(UTC)
    if gate.freeze is not None:
        return window.ends(gate.freeze, moment) or moment
    return moment
