"""One watch for each kind that some application uses."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection

from reconciler.core.applyset import PART_OF
from reconciler.engine.live import LiveObjects
from reconciler.model.change import EventType, Resource
from reconciler.model.identity import GroupKind, group_of, identify
from reconciler.model.outcome import StageError
from reconciler.ports import Cluster

log = logging.getLogger(__name__)


_LOOK = 0.05
"""Seconds between two looks for a refusal while a list is waited for."""

Place = tuple[GroupKind, str]
"""A kind and the namespace that it is followed in; empty for all of them."""


class Followers:
    """Starts a thread for each new kind; it lists, then watches, the objects that belong to any ApplySet."""

    def __init__(self, cluster: Cluster, live: LiveObjects) -> None:
        self._cluster = cluster
        self._live = live
        self._lock = threading.Lock()
        self._threads: dict[Place, threading.Thread] = {}
        self._refused: dict[Place, StageError] = {}
        self._narrow: set[GroupKind] = set()
        self._stopping = threading.Event()

    def ensure(self, wanted: Collection[tuple[Resource, str]], within: float) -> bool:
        """Follow these kinds, each at least in the namespace beside it; True once all have been listed.

        A kind is followed in all namespaces by one watch where that is allowed, else in each that is asked for. Raises
        the refusal of what may not be read.
        """
        deadline = time.monotonic() + within
        while True:
            places = {self._started(resource, namespace): resource for resource, namespace in wanted}
            refused = self._wait(places, deadline)
            if refused is None:
                return self._live.wait_listed(places, 0)
            self._narrow_down(refused, places[refused])

    def stop(self, within: float) -> None:
        """Waits at most so many seconds in all; a watch that has not ended then does no harm."""
        deadline = time.monotonic() + within
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _started(self, resource: Resource, namespace: str) -> Place:
        kind = GroupKind(group_of(resource.api_version), resource.kind)
        with self._lock:
            place = kind, namespace if resource.namespaced and kind in self._narrow else ""
            if place not in self._threads and not self._stopping.is_set():
                self._refused.pop(place, None)
                thread = threading.Thread(
                    target=self._follow, args=(place, resource), name=f"follow-{kind}-{place[1]}", daemon=True
                )
                self._threads[place] = thread
                thread.start()
        return place

    def _wait(self, places: Collection[Place], deadline: float) -> Place | None:
        """The first refusal; None once all are listed or the time is over."""
        while True:
            refused = next((place for place in places if place in self._refused), None)
            left = max(deadline - time.monotonic(), 0.0)
            if refused is not None or self._live.wait_listed(places, min(left, _LOOK)) or not left:
                return refused

    def _narrow_down(self, place: Place, resource: Resource) -> None:
        """Raises the refusal, unless the kind may be allowed in some namespaces. One that is refused there is asked
        for everywhere the next time: the rights may have grown.
        """
        kind, namespace = place
        refusal = self._refused[place]
        with self._lock:
            if namespace or not resource.namespaced:
                self._narrow.discard(kind)
                raise refusal
            self._narrow.add(kind)

    def _follow(self, place: Place, resource: Resource) -> None:
        try:
            self._read(place, resource)
        except StageError as refusal:
            log.warning("a kind cannot be followed", extra={"kind": str(place[0]), "why": refusal.message})
            self._live.forget(*place)
            self._refused[place] = refusal
        finally:
            with self._lock:
                self._threads.pop(place, None)

    def _read(self, place: Place, resource: Resource) -> None:
        for event in self._cluster.follow(resource, namespace=place[1], selector=PART_OF, stop=self._stopping.is_set):
            match event.type:
                case EventType.LISTING:
                    self._live.listing(*place)
                case EventType.LISTED:
                    self._live.listed(*place)
                case EventType.DELETED:
                    metadata = event.document["metadata"]
                    self._live.remove(identify(event.document), metadata["uid"], metadata["resourceVersion"])
                case _:
                    self._live.observe(event.document)
