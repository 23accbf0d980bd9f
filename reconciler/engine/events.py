"""Kubernetes events, written by a thread of their own: a slow or missing API server never holds a worker."""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from datetime import UTC, datetime
from typing import Any

from reconciler.engine.keys import Key
from reconciler.engine.notes import Note
from reconciler.model.change import Refusal
from reconciler.model.outcome import StageError
from reconciler.model.resource import API_VERSION
from reconciler.ports import Cluster

log = logging.getLogger(__name__)
_MESSAGE = 1024
"""The API server's own limit for the message of an event, in characters."""


class Events:
    """Best effort: at most 1,000 wait; what comes on top is logged only (the status is the record, not the events)."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._waiting: queue.Queue[tuple[Key, str, Note] | None] = queue.Queue(maxsize=1000)
        self._thread = threading.Thread(target=self._loop, name="events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def tell(self, key: Key, uid: str, note: Note) -> None:
        try:
            self._waiting.put_nowait((key, uid, note))
        except queue.Full:
            log.debug("an event is dropped: too many are waiting", extra={"key": str(key)})

    def stop(self, within: float) -> None:
        """Write what waits, for at most `within` seconds."""
        try:
            self._waiting.put(None, timeout=within)
        except queue.Full:
            return
        if self._thread.is_alive():
            self._thread.join(within)

    def _loop(self) -> None:
        while (item := self._waiting.get()) is not None:
            try:
                self._write(*item)
            except StageError as error:
                log.debug("an event could not be written", extra={"why": error.message})

    def _write(self, key: Key, uid: str, note: Note) -> None:
        resource = self._cluster.resource("v1", "Event")
        if resource is None:
            return
        answer = self._cluster.create(resource, key.namespace, event(key, uid, note, datetime.now(UTC)))
        if isinstance(answer, Refusal) and answer.code != 409:
            log.debug("an event is refused", extra={"key": str(key), "why": answer.message})


def event(key: Key, uid: str, note: Note, now: datetime) -> dict[str, Any]:
    """A core/v1 Event about one of our documents. Its name holds the time: the same news twice are two events."""
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = hashlib.sha256(f"{note.reason}{note.message}{now.isoformat()}".encode()).hexdigest()[:12]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{key.name[:200]}.{told}", "namespace": key.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": key.kind,
            "namespace": key.namespace,
            "name": key.name,
            "uid": uid,
        },
        "reason": note.reason.value,
        "message": note.message[:_MESSAGE],
        "type": "Warning" if note.warning else "Normal",
        "source": {"component": "dispatch"},
        "reportingComponent": "dispatch.dev/controller",
        "reportingInstance": "dispatch",
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
