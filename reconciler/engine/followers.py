"""One watch for each kind that some application uses."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from reconciler.core.applyset import PART_OF
from reconciler.engine.live import LiveObjects
from reconciler.model.change import EventType, Resource
from reconciler.model.identity import GroupKind, group_of, identify
from reconciler.model.outcome import StageError
from reconciler.ports import Cluster

log = logging.getLogger(__name__)


class Followers:
    """Starts a thread for each new kind; it lists, then watches, the objects that belong to any ApplySet."""

    def __init__(self, cluster: Cluster, live: LiveObjects, namespaces: tuple[str, ...] = ()) -> None:
        self._cluster = cluster
        self._live = live
        self._namespaces = namespaces
        self._lock = threading.Lock()
        self._threads: dict[GroupKind, threading.Thread] = {}
        self._refused: dict[GroupKind, StageError] = {}
        self._stopping = threading.Event()

    def ensure(self, resources: Iterable[Resource], within: float) -> bool:
        """Follow these kinds; True once each has been listed. Raises the refusal of a kind that may not be read."""
        kinds = []
        for resource in resources:
            kind = GroupKind(group_of(resource.api_version), resource.kind)
            kinds.append(kind)
            with self._lock:
                if kind not in self._threads and not self._stopping.is_set():
                    self._start(kind, resource)
        listed = self._live.wait_listed(kinds, within)
        for kind in kinds:
            if kind in self._refused:
                raise self._refused[kind]
        return listed

    def stop(self, within: float) -> None:
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join(within)

    def _start(self, kind: GroupKind, resource: Resource) -> None:
        self._refused.pop(kind, None)
        thread = threading.Thread(target=self._follow, args=(kind, resource), name=f"follow-{kind}", daemon=True)
        self._threads[kind] = thread
        thread.start()

    def _follow(self, kind: GroupKind, resource: Resource) -> None:
        try:
            self._read(kind, resource)
        except StageError as refusal:
            log.warning("a kind cannot be followed", extra={"kind": str(kind), "why": refusal.message})
            self._refused[kind] = refusal
            self._live.listed(kind)
        finally:
            with self._lock:
                self._threads.pop(kind, None)

    def _read(self, kind: GroupKind, resource: Resource) -> None:
        for event in self._cluster.follow(resource, selector=PART_OF, stop=self._stopping.is_set):
            match event.type:
                case EventType.LISTING:
                    self._live.listing(kind)
                case EventType.LISTED:
                    self._live.listed(kind)
                case EventType.DELETED:
                    metadata = event.document["metadata"]
                    self._live.remove(identify(event.document), metadata["uid"], metadata["resourceVersion"])
                case _:
                    self._live.observe(event.document)
