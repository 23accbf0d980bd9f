"""When correcting is no use: somebody puts the same field back each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 5
"""So many corrections of one field are patience; one more is a fight (Config Sync warns of more than 5 a minute)."""
WINDOW = 600.0
"""Seconds in which they are counted."""


def fighting(times: Sequence[float], now: float) -> bool:
    """True when more than `MOST` of the corrections at `times` (seconds, as `now`) fell in the last `WINDOW`."""
    return sum(now - WINDOW < time <= now for time in times) > MOST


@dataclass(frozen=True, slots=True)
class Fight:
    """The corrections of one field of one object that still count, oldest first."""

    times: tuple[float, ...] = ()

    def corrected(self, now: float) -> Fight:
        """One more correction, at `now`; what is older than the window is forgotten."""
        return Fight((*(time for time in self.times if now - WINDOW < time), now))

    def on(self, now: float) -> bool:
        """True while correcting must rest."""
        return fighting(self.times, now)

    def over_at(self) -> float:
        """When correcting may start again if nobody corrects until then; the time of a moment past when it may now."""
        return self.times[-MOST - 1] + WINDOW if len(self.times) > MOST else 0.0
