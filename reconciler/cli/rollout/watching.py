"""The scene of one Application, kept up to date by watches: nothing is asked again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from reconciler.cli.applications import Document, read, served
from reconciler.cli.rollout import found
from reconciler.cli.rollout.picture import Scene
from reconciler.cli.rollout.versions import HASH
from reconciler.core.progressive.template import ROLLOUT
from reconciler.model.change import Event, EventType, Resource
from reconciler.model.identity import GroupKind, ObjectId, identify
from reconciler.model.outcome import StageError
from reconciler.ports import Cluster

Place = tuple[str, str]
"""(kind, namespace) of one watch."""


class Watching:
    """`changed` is set whenever something has happened. `scene` is None until everything was listed once."""

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        """Raises Terminal where there is no such Application, or it may not be read."""
        self.changed = threading.Event()
        self._cluster = cluster
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._objects: dict[Place, dict[ObjectId, Document]] = {}
        self._listing: dict[Place, set[ObjectId]] = {}
        self._waiting: set[Place] = set()
        self._notes: list[str] = []
        self._application = read(cluster, "Application", namespace, name)
        self._follow(served(cluster, "Application"), namespace, "", lambda each: each["metadata"]["name"] == name)
        spaces, mine = found.namespaces(self._application), found.selector(self._application)
        named = set(found.named(self._application))
        for space in spaces:
            for kind in found.WALKED:
                # A Rollout that the status names is one of ours even without the mark.
                self._begin(kind, space, "" if kind == ROLLOUT and named else mine, self._ours(named))
            for kind in found.AROUND:
                self._begin(kind, space, HASH, lambda each: True)

    def scene(self) -> Scene | None:
        with self._lock:
            if self._waiting:
                return None
            objects = [each for held in self._objects.values() for each in held.values()]
            application = next((each for each in objects if each["kind"] == "Application"), self._application)
            around = {kind.kind for kind in found.AROUND}
            return Scene(
                application,
                [each for each in objects if each["kind"] == "Rollout"],
                {identify(each): each for each in objects if each["kind"] == "Deployment"},
                [each for each in objects if each["kind"] in around],
                tuple(self._notes),
            )

    def stop(self) -> None:
        self._stopped.set()

    def _ours(self, named: set[ObjectId]) -> Callable[[Document], bool]:
        key, _, id = found.selector(self._application).partition("=")
        return lambda each: identify(each) in named or (each["metadata"].get("labels") or {}).get(key) == id

    def _begin(self, kind: GroupKind, space: str, selector: str, keep: Callable[[Document], bool]) -> None:
        resource = self._cluster.preferred(kind)
        if resource is not None:
            self._follow(resource, space, selector, keep)

    def _follow(self, resource: Resource, space: str, selector: str, keep: Callable[[Document], bool]) -> None:
        place = (resource.kind, space)
        self._objects[place], self._listing[place] = {}, set()
        self._waiting.add(place)

        def work() -> None:
            try:
                events = self._cluster.follow(resource, selector=selector, namespace=space, stop=self._stopped.is_set)
                for event in events:
                    self._take(place, resource, event, keep)
            except StageError as error:
                with self._lock:
                    self._notes.append(error.message)
                    self._waiting.discard(place)
            self.changed.set()

        threading.Thread(target=work, name=f"watch-{resource.kind}", daemon=True).start()

    def _take(self, place: Place, resource: Resource, event: Event, keep: Callable[[Document], bool]) -> None:
        with self._lock:
            held, listed = self._objects[place], self._listing[place]
            if event.type is EventType.LISTING:
                listed.clear()
            elif event.type is EventType.LISTED:
                for gone in held.keys() - listed:
                    del held[gone]
                self._waiting.discard(place)
            else:
                self._keep(held, listed, resource, event, keep)
        if event.type is not EventType.LISTING:
            self.changed.set()

    @staticmethod
    def _keep(
        held: dict[ObjectId, Document],
        listed: set[ObjectId],
        resource: Resource,
        event: Event,
        keep: Callable[[Document], bool],
    ) -> None:
        named: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind}
        document = named | event.document
        id = identify(document)
        if event.type is EventType.DELETED or not keep(document):
            held.pop(id, None)
            return
        held[id] = document
        listed.add(id)
