"""Whether the time lets a version go forward: asked of the Promotions at each look, by reconciles and gates alike."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from reconciler.core.progressive import freezes
from reconciler.core.progressive.template import read_mark
from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.engine.live import LiveObjects
from reconciler.model.application import Application
from reconciler.model.promotion import PromotionGate
from reconciler.model.rollout import RolloutSeen
from reconciler.ports import Forecast, Gatekeeper

_LONGEST = 60.0
"""Seconds until the next look at what is held: a Promotion that is deleted wakes nobody, nor a Hotfix that landed."""


class Times(NamedTuple):
    """Who judges the gates on the time, and who says when they are open."""

    judge: Gatekeeper
    forecast: Forecast


class Closing(NamedTuple):
    """`why` nothing goes forward now, empty where it may; `again` is in how many seconds to look at it again."""

    why: str = ""
    again: float | None = None


def closing(
    catalog: Catalog, live: LiveObjects, times: Times, application: Application, seen: RolloutSeen, now: datetime
) -> Closing:
    """What holds the version that is seen of a Rollout of this Application."""
    gates = _gates(catalog, live, application, seen)
    why = freezes.closed(gates, times.judge, now)
    if not why:
        return Closing()
    opens = times.forecast(gates, None, now)
    left = (opens - now).total_seconds() if opens is not None else _LONGEST
    return Closing(why, min(max(left, 1.0), _LONGEST))


def _gates(catalog: Catalog, live: LiveObjects, application: Application, seen: RolloutSeen) -> list[PromotionGate]:
    key = Key("Application", application.metadata.namespace, application.metadata.name)
    environments = catalog.environments_of(key)
    if not environments:
        return []
    carrier = seen.workload or seen.id
    entry = live.get(carrier)
    template, commit = read_mark(entry.candidate) if entry is not None else ("", "")
    if freezes.goes_back(application.status.promoted, carrier.name, template):
        return []
    return [
        gate
        for promotion, environment in environments
        for gate in freezes.holding(environment, catalog.hotfixes_of(promotion), commit)
    ]
