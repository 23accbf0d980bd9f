"""A process that is killed at an exact write, played on a real API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import Answer, Event, Resource
from reconciler.model.identity import GroupKind
from reconciler.model.outcome import Reason, Transient


class DyingCluster:
    """`reconciler.ports.Cluster` that performs `writes` writes for real and is dead from then on: nothing that it is
    asked afterwards reaches the server, as after kill -9. An apply of several objects is so many writes.
    """

    def __init__(self, inner: KubeCluster, writes: int) -> None:
        self._inner = inner
        self._left = writes
        self.dead = False

    def resource(self, api_version: str, kind: str) -> Resource | None:
        self._live()
        return self._inner.resource(api_version, kind)

    def preferred(self, kind: GroupKind) -> Resource | None:
        self._live()
        return self._inner.preferred(kind)

    def read(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        self._live()
        return self._inner.read(resource, namespace, name)

    def listing(self, resource: Resource, namespace: str = "", selector: str = "") -> Iterator[dict[str, Any]]:
        self._live()
        return self._inner.listing(resource, namespace, selector)

    def apply(
        self, objects: Sequence[tuple[Resource, Mapping[str, Any]]], *, dry_run: bool = False, force: bool = True
    ) -> list[Answer]:
        self._live()
        if dry_run:
            return self._inner.apply(objects, dry_run=True, force=force)
        allowed = self._spend(len(objects))
        answers = self._inner.apply(objects[:allowed], force=force) if allowed else []
        self._live()
        return answers

    def delete(self, targets: Sequence[tuple[Resource, str, str, str]]) -> list[Answer]:
        self._live()
        allowed = self._spend(len(targets))
        answers = self._inner.delete(targets[:allowed]) if allowed else []
        self._live()
        return answers

    def patch(self, resource: Resource, namespace: str, name: str, patch: Any, subresource: str = "") -> Answer:
        self._live()
        answer = self._inner.patch(resource, namespace, name, patch, subresource) if self._spend(1) else {}
        self._live()
        return answer

    def create(self, resource: Resource, namespace: str, document: Mapping[str, Any]) -> Answer:
        """Events are no part of the state: they are not counted."""
        self._live()
        return self._inner.create(resource, namespace, document)

    def follow(
        self, resource: Resource, *, selector: str = "", namespace: str = "", stop: Callable[[], bool]
    ) -> Iterator[Event]:
        return self._inner.follow(resource, selector=selector, namespace=namespace, stop=lambda: stop() or self.dead)

    def _spend(self, writes: int) -> int:
        """How many of the writes are still performed. Dies with the last one, before its answer is heard."""
        allowed = min(writes, self._left)
        self._left -= allowed
        if self._left <= 0:
            self.dead = True
        return allowed

    def _live(self) -> None:
        if self.dead:
            raise Transient(Reason.CLUSTER_UNREACHABLE, "killed")
