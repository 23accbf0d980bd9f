"""Small objects for the contract of Cluster, and what came of sending them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import Answer, Event, EventType, Refusal, Resource


def served(kube: KubeCluster, api_version: str, kind: str) -> Resource:
    found = kube.resource(api_version, kind)
    assert found is not None
    return found


def configmap(namespace: str, name: str = "web", labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def accepted(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer, dict), answer
    return answer


def refused(answer: Answer) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def one(kube: KubeCluster, resource: Resource, document: dict[str, Any], **options: bool) -> Answer:
    (answer,) = kube.apply([(resource, document)], **options)
    return answer


def wait_for(true: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def definition(group: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


class Following:
    """What a follower has told, and the set of names that it makes."""

    def __init__(self, kube: KubeCluster, resource: Resource, **options: Any) -> None:
        self.events: list[Event] = []
        self.names: set[str] = set()
        self.listed = 0
        self._named: set[str] = set()
        self._stop = threading.Event()
        self._stream = kube.follow(resource, stop=self._stop.is_set, **options)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        for event in self._stream:
            self.events.append(event)
            name = event.document.get("metadata", {}).get("name", "")
            match event.type:
                case EventType.LISTING:
                    self._named = set()
                case EventType.LISTED:
                    self.names &= self._named
                    self.listed += 1
                case EventType.DELETED:
                    self.names = self.names - {name}
                case _:
                    self._named.add(name)
                    self.names = self.names | {name}

    def __enter__(self) -> Following:
        wait_for(lambda: self.listed)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
