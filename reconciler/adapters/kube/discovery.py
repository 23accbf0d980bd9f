"""Which kinds the server has, under which paths: asked in two requests for all of them, and kept.

Aggregated discovery: KEP-3352, in every server since 1.27; an older one is asked group by group.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.kube.client import Client, busy, document_of
from reconciler.adapters.kube.refusal import refusal
from reconciler.adapters.kube.requests import get
from reconciler.model.change import Resource
from reconciler.model.identity import GroupKind, group_of
from reconciler.model.outcome import Reason, Terminal, Transient

ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
ASK_AGAIN = 1.0
"""Seconds for which "there is no such kind" is believed."""


@dataclass(slots=True)
class Catalog:
    """What one answer of the server's discovery says. `silent` are the versions whose own server does not answer."""

    kinds: dict[tuple[str, str], Resource] = field(default_factory=dict)
    preferred: dict[GroupKind, Resource] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def add(self, resource: Resource) -> None:
        """Versions are to be added in the server's order of preference; of two paths of one kind the first counts."""
        self.kinds.setdefault((resource.api_version, resource.kind), resource)
        self.preferred.setdefault(GroupKind(group_of(resource.api_version), resource.kind), resource)


def read_aggregated(document: dict[str, Any], catalog: Catalog) -> None:
    """An APIGroupDiscoveryList into the catalog."""
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or ():
            api_version = f"{name}/{version['version']}" if name else version["version"]
            if version.get("freshness") == "Stale":
                catalog.silent.add(api_version)
            for found in version.get("resources") or ():
                kind = (found.get("responseKind") or {}).get("kind")
                if kind:
                    catalog.add(Resource(api_version, kind, found["resource"], found.get("scope") == "Namespaced"))


def read_resource_list(document: dict[str, Any], catalog: Catalog) -> None:
    """A legacy APIResourceList, of one group and version, into the catalog."""
    for found in document.get("resources") or ():
        if "/" not in found["name"]:
            catalog.add(Resource(document["groupVersion"], found["kind"], found["name"], bool(found["namespaced"])))


def versions_of(document: dict[str, Any]) -> Iterable[str]:
    """The `group/version`s of a legacy APIGroupList, the preferred one of each group first."""
    for group in document.get("groups") or ():
        first = (group.get("preferredVersion") or {}).get("groupVersion")
        yield from sorted((v["groupVersion"] for v in group.get("versions") or ()), key=lambda v: v != first)


class Discovery:
    """The catalog of one server, asked when somebody needs a kind that it does not have."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._catalog = Catalog()
        self._believed_until = float("-inf")

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """Raises Transient when the server, or that of an aggregated API, cannot be asked; Terminal(FORBIDDEN)."""
        found = self._catalog.kinds.get((api_version, kind))
        if found is None:
            catalog = self._ask(self._catalog)
            found = catalog.kinds.get((api_version, kind))
            if found is None and api_version in catalog.silent:
                raise _silent(api_version)
        return found

    def preferred(self, kind: GroupKind) -> Resource | None:
        """Raises as `resource`."""
        found = self._catalog.preferred.get(kind)
        if found is None:
            catalog = self._ask(self._catalog)
            found = catalog.preferred.get(kind)
            silent = [version for version in sorted(catalog.silent) if group_of(version) == kind.group]
            if found is None and silent:
                raise _silent(silent[0])
        return found

    def invalidate(self) -> None:
        """The kinds have changed: do not believe the next "there is no such kind"."""
        self._believed_until = float("-inf")

    def forget(self, resource: Resource) -> None:
        """The path of this resource is gone: its kind is to be asked for again."""
        with self._lock:
            if self._catalog.kinds.get((resource.api_version, resource.kind)) == resource:
                self._catalog = Catalog()
                self._believed_until = float("-inf")

    def _ask(self, seen: Catalog) -> Catalog:
        with self._lock:
            if self._catalog is seen and time.monotonic() >= self._believed_until:
                catalog = Catalog()
                self._read_all(catalog)
                self._catalog = catalog
                self._believed_until = time.monotonic() + ASK_AGAIN
            return self._catalog

    def _read_all(self, catalog: Catalog) -> None:
        for root in ("/api", "/apis"):
            document = self._get(root, ACCEPT)
            if document.get("kind") == "APIGroupDiscoveryList":
                read_aggregated(document, catalog)
            elif root == "/api":
                for version in document.get("versions") or ():
                    read_resource_list(self._get(f"/api/{version}"), catalog)
            else:
                self._read_groups(versions_of(document), catalog)

    def _read_groups(self, versions: Iterable[str], catalog: Catalog) -> None:
        for version in versions:
            try:
                read_resource_list(self._get(f"/apis/{version}"), catalog)
            except Transient as error:
                if error.reason is not Reason.CLUSTER_BUSY:
                    raise
                catalog.silent.add(version)

    def _get(self, path: str, accept: str = "") -> dict[str, Any]:
        response = self._client.send(get(path, accept))
        if response.status == 200:
            return document_of(response)
        if response.status in (401, 403):
            raise Terminal(Reason.FORBIDDEN, f"may not ask which kinds there are: {refusal(response).message}")
        if response.status == 404:
            return {}
        raise busy(response)


def _silent(api_version: str) -> Transient:
    service = ".".join(reversed(api_version.split("/")))
    return Transient(
        Reason.CLUSTER_BUSY,
        f"{api_version} is registered, but the server behind it does not answer: "
        f"`kubectl get apiservices {service}` shows why",
    )
