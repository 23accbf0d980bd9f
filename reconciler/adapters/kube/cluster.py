"""`reconciler.ports.Cluster` on a real API server."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import reconciler
from reconciler.adapters.kube import credentials, requests
from reconciler.adapters.kube.access import Access
from reconciler.adapters.kube.batch import each
from reconciler.adapters.kube.client import Client, busy, document_of
from reconciler.adapters.kube.discovery import Discovery
from reconciler.adapters.kube.follow import Follower, forbidden
from reconciler.adapters.kube.kubeconfig import SERVICE_ACCOUNT, locate
from reconciler.adapters.kube.mask import hide, secrets_of
from reconciler.adapters.kube.patience import Budget
from reconciler.adapters.kube.refusal import is_gone, refusal
from reconciler.adapters.kube.requests import Request, Unsendable
from reconciler.adapters.kube.wire import Response
from reconciler.model.change import Answer, Event, Refusal, Resource
from reconciler.model.identity import GroupKind
from reconciler.model.permit import Permit, always

log = logging.getLogger(__name__)

CONNECTIONS = 8
TIMEOUT = 30.0
"""Seconds that the server may work on one request."""

_MAKES_KINDS = frozenset({"CustomResourceDefinition", "APIService"})


def connect(
    kubeconfig: Path | None = None,
    context: str | None = None,
    *,
    connections: int = CONNECTIONS,
    timeout: float = TIMEOUT,
    user_agent: str = f"dispatch/{reconciler.__version__}",
    permit: Permit = always,
) -> KubeCluster:
    """The cluster of a kubeconfig (the named file, $KUBECONFIG, ~/.kube/config) or, in a pod, its own.

    Reads files and may run the kubeconfig's credential plug-in, and sends nothing. `timeout` is in seconds, for each
    request; `permit` is asked before each write.

    Raises Terminal(CREDENTIALS_NOT_FOUND) without any configuration, Terminal(INVALID_SPEC) with the file and
    what is wrong in it, Transient(CREDENTIALS_NOT_FOUND) when the plug-in fails.
    """
    paths = locate(kubeconfig, os.environ, Path.home())
    if paths:
        load, title = credentials.from_files(paths, context)
    else:
        load, title = credentials.from_service_account(SERVICE_ACCOUNT, os.environ)
    return KubeCluster(Client(Access(load, title, user_agent), connections, timeout, permit), connections)


class KubeCluster:
    """One API server. Safe to call from many threads; at most `connections` requests at once, watches not counted."""

    def __init__(self, client: Client, connections: int) -> None:
        self._client = client
        self._connections = connections
        self._discovery = Discovery(client)
        self._threads = ThreadPoolExecutor(max_workers=connections, thread_name_prefix="kube")

    def close(self) -> None:
        """End the followers and close the connections. Doing it twice does no harm."""
        self._client.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """How the kind is served, None when it is not (which is believed for a second, or until a definition is
        applied)."""
        return self._discovery.resource(api_version, kind)

    def preferred(self, kind: GroupKind) -> Resource | None:
        """The kind at the version that the server prefers, None when it is not served."""
        return self._discovery.preferred(kind)

    def invalidate(self) -> None:
        """Kinds have come or gone: ask the server about the next unknown one at once."""
        self._discovery.invalidate()

    def read(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        """The live object, None when there is none. Raises Terminal(FORBIDDEN), Transient."""
        return self._document(requests.get(requests.path(resource, namespace, name)))

    def listing(self, resource: Resource, namespace: str = "", selector: str = "") -> Iterator[dict[str, Any]]:
        """All objects of a kind, in pages. When the server forgets where it was (after minutes), it starts again, and
        objects may come twice. Raises Terminal(FORBIDDEN), Transient."""
        after = ""
        while True:
            response = self._client.send(requests.page(resource, namespace, selector, after))
            if response.status == 410 and after:
                after = ""
                continue
            page = self._success(response) or {}
            for item in page.get("items") or ():
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
                yield item
            after = (page.get("metadata") or {}).get("continue") or ""
            if not after:
                return

    def apply(
        self, objects: Sequence[tuple[Resource, Mapping[str, Any]]], *, dry_run: bool = False, force: bool = True
    ) -> list[Answer]:
        """Server-side apply as manager `dispatch` with fieldValidation=Strict; an answer for each, in order.

        Raises Transient(CLUSTER_UNREACHABLE) as soon as one gets no answer; what was applied before stays applied.
        """
        applying = requests.Applying(dry_run=dry_run, force=force, seconds=self._client.timeout)
        answers = self._send_all(
            len(objects), lambda index: applying.request(*objects[index]), lambda index: objects[index][1]
        )
        if not dry_run and any(resource.kind in _MAKES_KINDS for resource, _ in objects):
            self._discovery.invalidate()
        for (resource, _), answer in zip(objects, answers, strict=True):
            if isinstance(answer, Refusal) and is_gone(answer):
                self._discovery.forget(resource)
        return answers

    def delete(self, targets: Sequence[tuple[Resource, str, str, str]]) -> list[Answer]:
        """Delete (resource, namespace, name, uid), dependents in the background; `{}` for what is already gone: no
        object of the name, or another one (another uid). An object that has finalizers is answered as it now is."""
        answers = self._send_all(len(targets), lambda index: requests.delete(*targets[index]), lambda index: {})
        return [self._deleted(*target, answer) for target, answer in zip(targets, answers, strict=True)]

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        subresource: str = "",
    ) -> Answer:
        """A merge patch (RFC 7386; a map) or a JSON Patch (RFC 6902; a list) as manager `dispatch`."""
        told = _as_object(resource, patch)
        return self._answer(lambda: requests.patch(resource, namespace, name, patch, subresource), told)

    def create(self, resource: Resource, namespace: str, document: Mapping[str, Any]) -> Answer:
        """Create one object. Not sent again once it may have arrived: a lost answer raises Transient."""
        return self._answer(lambda: requests.create(resource, namespace, document), document)

    def follow(
        self, resource: Resource, *, selector: str = "", namespace: str = "", stop: Callable[[], bool]
    ) -> Iterator[Event]:
        """LISTING, ADDED ..., LISTED, then what happens, for ever, on a connection of its own; ends within about a
        second when `stop()` is true. Raises only Terminal(FORBIDDEN)."""
        return Follower(self._client, resource, namespace, selector, stop).events()

    def version(self) -> str:
        """The server's `gitVersion`, such as v1.35.4."""
        return str((self._document(requests.get("/version")) or {}).get("gitVersion", ""))

    def allowed(self, verb: str, resource: Resource, namespace: str = "") -> bool:
        """Whether we may do this, in the namespace or, when it is empty, in all (a SelfSubjectAccessReview)."""
        group, _, version = resource.api_version.rpartition("/")
        attributes = {
            "verb": verb,
            "group": group,
            "version": version,
            "resource": resource.plural,
            "namespace": namespace,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        request = requests.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return bool(((self._document(request) or {}).get("status") or {}).get("allowed"))

    def _send_all(
        self, count: int, request_of: Callable[[int], Request], document_of: Callable[[int], Mapping[str, Any]]
    ) -> list[Answer]:
        answers: list[Answer] = [{}] * count
        budget = Budget(count)

        def work(index: int) -> None:
            answers[index] = self._answer(lambda: request_of(index), document_of(index), budget)

        each(work, count, self._threads, self._connections)
        return answers

    def _answer(
        self, request_of: Callable[[], Request], document: Mapping[str, Any], budget: Budget | None = None
    ) -> Answer:
        try:
            request = request_of()
        except Unsendable as error:
            return Refusal(400, "BadRequest", str(error))
        response = self._client.send(request, budget)
        if response.head.warnings and log.isEnabledFor(logging.DEBUG):
            _log_warnings(request, response, document)
        if response.status < 300:
            return document_of(response)
        return refusal(response, secrets_of(document))

    def _deleted(self, resource: Resource, namespace: str, name: str, uid: str, answer: Answer) -> Answer:
        """After 409 the object is looked at: the precondition is told in words only, and they differ from kind to kind;
        and a namespace that is being deleted answers 409 as well."""
        if not isinstance(answer, Refusal):
            return {} if answer.get("kind") == "Status" else answer
        if answer.code == 404:
            return {}
        if answer.code != 409:
            return answer
        response = self._client.send(requests.get(requests.path(resource, namespace, name)))
        if response.status == 404:
            return {}
        if response.status != 200:
            return answer
        found = document_of(response)
        if found["metadata"]["uid"] != uid:
            return {}
        return found if found["metadata"].get("deletionTimestamp") else answer

    def _document(self, request: Request) -> dict[str, Any] | None:
        return self._success(self._client.send(request))

    @staticmethod
    def _success(response: Response) -> dict[str, Any] | None:
        """The document of an answer, None for 404. Raises Terminal(FORBIDDEN), Transient(CLUSTER_BUSY)."""
        if response.status < 300:
            return document_of(response)
        if response.status == 404:
            return None
        if response.status == 403:
            raise forbidden(response)
        raise busy(response)


def _as_object(resource: Resource, patch: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A patch in the shape of the object that it changes, so that the secrets in it are found."""
    head = {"apiVersion": resource.api_version, "kind": resource.kind}
    if isinstance(patch, Mapping):
        return {**patch, **head}
    return {**head, "data": {str(number): step.get("value") for number, step in enumerate(patch)}}


def _log_warnings(request: Request, response: Response, document: Mapping[str, Any]) -> None:
    """Deprecations and the like (KEP-1693), which the server sends as headers."""
    secrets = secrets_of(document)
    for warning in response.head.warnings:
        log.debug("warning of the API server", extra={"request": str(request), "warning": hide(warning, secrets)})
