"""Lists a kind, then watches it, for ever.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from reconciler.adapters.kube import requests
from reconciler.adapters.kube.channel import Lost
from reconciler.adapters.kube.client import GRACE, Client, document_of
from reconciler.adapters.kube.refusal import refusal
from reconciler.adapters.kube.stream import Refused, Stopped, Stream
from reconciler.adapters.kube.wire import Response, encode
from reconciler.core.backoff import delay
from reconciler.model.change import Event, EventType, Resource
from reconciler.model.outcome import Reason, Terminal, Transient

log = logging.getLogger(__name__)

WATCH_FOR = (300, 600)
"""Seconds after which the server is to end a watch, so that followers spread again over the servers behind one
address; client-go's reflectors ask for the same."""

SILENCE = 150.0
"""Seconds without a byte after which a watch is taken for dead. A server sends a bookmark about every minute; where
it does not, a quiet watch is asked for anew this often."""

STEADY = 5.0
"""Seconds that a watch must have lived for the next one to be asked for without a wait."""

LIST_AFTER = 3
"""Failures in a row of a server that answers, after which the version to watch from is given up: one that lies in the
server's future (its data was restored from a backup) fails for ever."""

LONGEST_WAIT = 5.0
GONE_WAIT = 15.0
"""Seconds, at most, between two tries: while there is no answer, and while the kind is not served."""

DOUBTED_FOR = 30.0
"""Seconds for which a 403 to somebody who was allowed before is not believed: a server that has just started forbids
everything until it has read its roles."""

_LISTING, _LISTED = Event(EventType.LISTING, {}), Event(EventType.LISTED, {})
_TYPES = {kind.value: kind for kind in (EventType.ADDED, EventType.MODIFIED, EventType.DELETED)}


class Expired(Exception):
    """The version that was asked for is no longer kept (410 Gone): list again."""


class Trouble(Exception):
    """The server cannot answer just now. `wish` is its Retry-After in seconds."""

    def __init__(self, why: str, wish: float | None = None, longest: float = LONGEST_WAIT) -> None:
        super().__init__(why)
        self.wish = wish
        self.longest = longest


class Follower:
    """One kind, in one namespace or in all. `events` is to be read by one thread."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str,
        selector: str,
        stop: Callable[[], bool],
    ) -> None:
        self._client = client
        self._resource = resource
        self._where = (resource, namespace, selector)
        self._stop = stop
        self._stream = Stream(client.access.open, self._stopped)
        self._version = ""
        self._failures = 0
        self._allowed = False
        self._forbidden_since: float | None = None

    def _stopped(self) -> bool:
        return self._stop() or self._client.closed

    def events(self) -> Iterator[Event]:
        """Ends when the wish to stop is seen. Raises Terminal(FORBIDDEN)."""
        try:
            while not self._stopped():
                try:
                    if not self._version:
                        yield from self._list()
                    yield from self._watch()
                except Expired:
                    self._version = ""
                    self._rest(Trouble("the history of changes that we had read up to is gone"), logging.INFO)
                except Lost as lost:
                    self._rest(Trouble(self._client.unreachable(lost).message), logging.WARNING)
                except Trouble as trouble:
                    if self._failures >= LIST_AFTER:
                        self._version = ""
                    self._rest(trouble, logging.WARNING)
        except Stopped:
            return
        finally:
            self._stream.close()

    def _list(self) -> Iterator[Event]:
        # Told before the request leaves: what the consumer learns of its own writes from here on is not older than
        # the list.
        yield _LISTING
        after = version = ""
        while True:
            response = self._ask(requests.page(*self._where, after))
            if response.status == 404:
                # The kind is not served (its definition was deleted), so there are no objects. Look again at times.
                yield _LISTED
                raise Trouble(f"{self._resource.kind} is not served: {refusal(response).message}", longest=GONE_WAIT)
            document = self._object(response)
            metadata = document.get("metadata") or {}
            version = version or metadata.get("resourceVersion") or "0"
            after = metadata.get("continue") or ""
            items = document.get("items") or ()
            del document, response
            for item in items:
                # The items of a list leave out what the list says for all of them.
                item.setdefault("apiVersion", self._resource.api_version)
                item.setdefault("kind", self._resource.kind)
                yield Event(EventType.ADDED, item)
            if not after:
                break
        self._version = version
        # Whoever may list and not watch is still forbidden to follow: only a watch ends that doubt.
        self._allowed = True
        yield _LISTED

    def _watch(self) -> Iterator[Event]:
        began = time.monotonic()
        seconds = random.randint(*WATCH_FOR)  # noqa: S311
        request = requests.watch(*self._where, self._version, seconds)
        message, generation = self._message(request)
        try:
            for line in self._stream.lines(message, generation, self._client.timeout, SILENCE):
                event = self._read(line)
                self._recovered()
                if event is not None:
                    yield event
        except Refused as refused:
            if refused.response.status == 404:
                self._version = ""
            self._judge(refused.response)
        if time.monotonic() - began < STEADY:
            raise Trouble("the server ended a watch that had only begun")
        self._recovered()

    def _read(self, line: bytes) -> Event | None:
        """One line of a watch; None for a bookmark. Raises Expired, Trouble."""
        try:
            document = json.loads(line)
            kind, found = document["type"], document["object"]
            known = _TYPES.get(kind)
            if known is None and kind != "BOOKMARK":
                raise self._error(found)
            self._version = found["metadata"]["resourceVersion"]
        except (ValueError, KeyError, TypeError) as error:
            raise Trouble("the server sent a line that is no event") from error
        return Event(known, found) if known is not None else None

    @staticmethod
    def _object(response: Response) -> dict[str, Any]:
        try:
            return document_of(response)
        except Transient as error:
            raise Trouble(error.message) from error

    @staticmethod
    def _error(status: Any) -> Exception:
        """An ERROR event carries a metav1.Status; nothing of any other object is repeated."""
        told = status if isinstance(status, dict) and status.get("kind") == "Status" else {}
        if told.get("code") == 410:
            return Expired()
        return Trouble(f"the server ended the watch: {told.get('message') or 'it did not say why'}")

    def _ask(self, request: requests.Request) -> Response:
        message, generation = self._message(request)
        response = self._stream.exchange(message, generation, self._client.timeout + GRACE)
        if response.status not in (200, 404):
            self._judge(response)
        return response

    def _message(self, request: requests.Request) -> tuple[bytes, int]:
        state = self._client.access.state()
        head = state.head + request.head
        return encode(request.method, state.prefix + request.target, head, request.body), state.generation

    def _judge(self, response: Response) -> None:
        """Raises what an answer that is not 200 means: Expired, Trouble, Terminal(FORBIDDEN)."""
        status = response.status
        if status == 410:
            raise Expired
        if status == 403:
            self._doubt(response)
        if status == 401:
            try:
                self._client.renew(self._client.access.state())
            except Transient as error:
                raise Trouble(error.message) from error
            raise Trouble(self._client.unauthorized().message)
        said = refusal(response)
        raise Trouble(said.message, said.retry_after)

    def _doubt(self, response: Response) -> None:
        """Raises Terminal(FORBIDDEN), or Trouble while that may pass."""
        self._forbidden_since = self._forbidden_since or time.monotonic()
        if not self._allowed or time.monotonic() - self._forbidden_since >= DOUBTED_FOR:
            raise forbidden(response)
        raise Trouble(refusal(response).message)

    def _recovered(self) -> None:
        self._forbidden_since = None
        if self._failures > 1:
            log.info("a kind is followed again", extra={"kind": self._resource.kind, "server": self._client.access.url})
        self._failures = 0

    def _rest(self, trouble: Trouble, level: int) -> None:
        """Wait, longer after each failure in a row, and look meanwhile whether to stop. Raises Stopped."""
        self._failures += 1
        wait = delay(self._failures, first=0.2, most=trouble.longest, jitter=random.random())  # noqa: S311
        wait = max(wait, trouble.wish or 0.0)
        # The first failure is the usual end of a watch when a server restarts; more of them are news, told once.
        fields = {"kind": self._resource.kind, "why": str(trouble), "failures": self._failures}
        log.log(level if self._failures == 3 else logging.DEBUG, "a kind cannot be followed just now", extra=fields)
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            if self._stopped():
                raise Stopped
            time.sleep(min(left, 0.25))


def forbidden(response: Response) -> Terminal:
    """403 to a question: no repetition helps until somebody grants the right."""
    return Terminal(
        Reason.FORBIDDEN,
        f"{refusal(response).message}. Grant it to the user of this connection by a Role or a ClusterRole",
    )
