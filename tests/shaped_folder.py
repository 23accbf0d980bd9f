"""A folder under a strategy on a real cluster: shaped, applied and pruned as the controller does it, in a few lines."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, TypeGuard

from reconciler.adapters.kube import KubeCluster
from reconciler.core.applyset import PART_OF
from reconciler.core.desired import Wanted, complete
from reconciler.core.drift import find
from reconciler.core.order import stages
from reconciler.core.progressive.seen import see, see_deployment
from reconciler.core.progressive.services import held
from reconciler.core.progressive.shape import Shaped, shape
from reconciler.core.respect import respect
from reconciler.model.change import Refusal, Resource
from reconciler.model.drift import Drift
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.rollout import DeploymentSeen, RolloutSeen
from reconciler.model.strategy import Strategy
from reconciler.ports import Making
from strategies.rollout import blue_green_section, canary_section

Document = dict[str, Any]
WAYS: dict[str, Any] = {"canary": canary_section, "blueGreen": blue_green_section}
_SET = "applyset-shaped-v1"
_PRUNED = (
    ("argoproj.io/v1alpha1", "Rollout"),
    ("argoproj.io/v1alpha1", "AnalysisTemplate"),
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
)


class ShapedFolder:
    """`run` is one run of the controller for the documents of a folder."""

    def __init__(
        self, cluster: KubeCluster, namespace: str, gates: str = "http://127.0.0.1:9/gates", applyset: str = _SET
    ) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.applyset = applyset
        self.making = Making(namespace, "", gates, prometheus="http://127.0.0.1:9")

    def resource(self, api_version: str, kind: str) -> Resource:
        found = self.cluster.resource(api_version, kind)
        assert found is not None, kind
        return found

    def read(self, kind: str, name: str) -> Document | None:
        versions = {"Rollout": "argoproj.io/v1alpha1", "Deployment": "apps/v1", "Service": "v1"}
        return self.cluster.read(self.resource(versions.get(kind, "v1"), kind), self.namespace, name)

    def live(self, kind: str, _namespace: str, name: str) -> DeploymentSeen | RolloutSeen | None:
        """As the controller sees them: what does not carry the label of the set is not there."""
        found = self.read(kind, name)
        if not self._ours(found):
            return None
        return see_deployment(found) if kind == "Deployment" else see(found, workload=self.read("Deployment", name))

    def seen(self, name: str = "web") -> RolloutSeen | None:
        found = self.live("Rollout", self.namespace, name)
        assert found is None or isinstance(found, RolloutSeen)
        return found

    def _ours(self, document: Document | None) -> TypeGuard[Document]:
        labels = {} if document is None else document["metadata"].get("labels") or {}
        return labels.get(PART_OF) == self.applyset

    def shaped(
        self, documents: Sequence[Document], strategy: Document, commit: str = "c0ffee"
    ) -> tuple[Shaped, list[Wanted]]:
        """What is wanted now, and the same completed."""
        manifests = [Manifest(document, Origin("web.yaml", 1)) for document in documents]
        shaped = shape(manifests, Strategy.model_validate(strategy), WAYS, self.live, self.making, commit)
        return shaped, complete(shaped.manifests, self.cluster.resource, self.namespace, self.applyset)

    def run(self, documents: Sequence[Document], strategy: Document, commit: str = "c0ffee") -> Shaped:
        shaped, wanted = self.shaped(documents, strategy, commit)
        resources = {id(each.manifest): each.resource for each in wanted}
        for stage in stages([each.manifest for each in wanted]):
            self._send([(resources[id(manifest)], manifest.document) for manifest in stage], shaped)
        self._prune({each.id for each in wanted})
        return shaped

    def drifts(self, documents: Sequence[Document], strategy: Document) -> list[Drift]:
        """What the controller would report, or put back."""
        shaped, wanted = self.shaped(documents, strategy)
        found: list[Drift] = []
        for each in wanted:
            live = self.cluster.read(each.resource, self.namespace, each.id.name)
            document = respect(each.manifest.document, live, shaped.ignore)
            (predicted,) = self.cluster.apply([(each.resource, document)], dry_run=True)
            assert not isinstance(predicted, Refusal), predicted
            found += find(each, live, predicted, shaped.ignore)
        return found

    def _send(self, objects: list[tuple[Resource, Document]], shaped: Shaped) -> None:
        sent = []
        for resource, document in objects:
            live = self.cluster.read(resource, self.namespace, document["metadata"]["name"])
            sent.append((resource, respect(document, live if self._ours(live) else None, shaped.ignore)))
        for answer in self.cluster.apply(sent):
            assert not isinstance(answer, Refusal), answer

    def _prune(self, wanted: set[ObjectId]) -> None:
        services = list(self.cluster.listing(self.resource("v1", "Service"), self.namespace))
        for api_version, kind in _PRUNED:
            resource = self.resource(api_version, kind)
            for document in self.cluster.listing(resource, self.namespace, f"{PART_OF}={self.applyset}"):
                name, uid = document["metadata"]["name"], document["metadata"]["uid"]
                group = api_version.rpartition("/")[0]
                gone = ObjectId(group, kind, self.namespace, name) not in wanted
                if gone and not (kind == "Rollout" and held(name, services)):
                    self.cluster.delete([(resource, self.namespace, name, uid)])

    def service_selects(self, name: str = "web") -> dict[str, str]:
        service = self.read("Service", name)
        assert service is not None
        return dict(service["spec"]["selector"])


class Watchman:
    """Counts, every 50 ms while it is entered, the ready pods that a Service selects; `least` is the lowest count."""

    def __init__(self, folder: ShapedFolder, service: str = "web") -> None:
        self._folder, self._service = folder, service
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.counts: list[int] = []

    @property
    def least(self) -> int:
        return min(self.counts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10)

    def _watch(self) -> None:
        pods = self._folder.resource("v1", "Pod")
        while not self._stop.is_set():
            began = time.monotonic()
            before = self._folder.service_selects(self._service)
            listed = list(self._folder.cluster.listing(pods, self._folder.namespace))
            if before == self._folder.service_selects(self._service):
                self.counts.append(sum(_ready(pod) and _selected(pod, before) for pod in listed))
            time.sleep(max(0.0, 0.05 - (time.monotonic() - began)))


def _selected(pod: Document, selector: dict[str, str]) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in selector.items())


def _ready(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
