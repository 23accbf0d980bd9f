"""What the stages of a reconcile may touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.engine.actions import Actions
from reconciler.engine.catalog import Catalog
from reconciler.engine.followers import Followers
from reconciler.engine.ledgers import Ledgers
from reconciler.engine.live import LiveObjects
from reconciler.engine.sources import Sources
from reconciler.model.repository import Repository
from reconciler.ports import (
    Clock,
    Cluster,
    CommitStatuses,
    Forecast,
    Forge,
    Gatekeeper,
    Measure,
    Remote,
    Renderer,
    RolloutStrategy,
    Source,
)


@dataclass(frozen=True, slots=True)
class Rolling:
    """How versions are walked out: the strategies by Argo Rollouts' names, where Argo Rollouts reaches the gates, the
    operator's Prometheus (empty when there is none), the forge of a Repository and what it says of commits (None where
    there is none), and for the gates of promotions who judges them, who says when they can be open and who measures.
    """

    strategies: Mapping[str, RolloutStrategy]
    gates: str
    prometheus: str
    forge: Callable[[Repository, Remote], Forge | None]
    statuses: Callable[[Repository, Remote], CommitStatuses | None]
    gatekeeper: Gatekeeper
    forecast: Forecast
    measure: Measure


@dataclass(frozen=True, slots=True)
class World:
    """The ports, and what the engine has seen of the world through them.

    `stopping` is asked between two writes: a run that is told to stop ends there, and the next start goes on from what
    the cluster holds.
    """

    source: Source
    renderer: Renderer
    cluster: Cluster
    clock: Clock
    catalog: Catalog
    sources: Sources
    live: LiveObjects
    followers: Followers
    stopping: Callable[[], bool]
    actions: Actions
    ledgers: Ledgers
    rolling: Rolling
