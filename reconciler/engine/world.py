"""What the stages of a reconcile may touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.engine.catalog import Catalog
from reconciler.engine.followers import Followers
from reconciler.engine.live import LiveObjects
from reconciler.engine.sources import Sources
from reconciler.ports import Clock, Cluster, Renderer, Source


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
