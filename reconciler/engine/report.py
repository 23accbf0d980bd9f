"""The one wrapper around all runs: it writes the status, the log line and the events, and settles the next look."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from reconciler.core.conditions import is_ready
from reconciler.engine.catalog import Catalog
from reconciler.engine.events import Events
from reconciler.engine.keys import Key
from reconciler.engine.memory import Memory
from reconciler.engine.notes import Note, notes
from reconciler.engine.notices import Notices
from reconciler.engine.progress import Abandoned, Progress
from reconciler.engine.queue import LOW
from reconciler.engine.queues import Queues
from reconciler.engine.status import application_status
from reconciler.model.application import Application, ApplicationStatus
from reconciler.model.change import Refusal
from reconciler.model.health import Level
from reconciler.model.outcome import Blocked, Reason, StageError, Terminal, Transient
from reconciler.model.resource import API_VERSION, Record
from reconciler.ports import Clock, Cluster

log = logging.getLogger(__name__)

_SECOND_LOOK = 60.0
"""Seconds until a refusal of the cluster is tried again: what it lacks may come from elsewhere (a right, say)."""
_OF_THE_CLUSTER = frozenset(
    {
        Reason.OBJECT_REFUSED,
        Reason.UNKNOWN_KIND,
        Reason.NAMESPACE_MISSING,
        Reason.OWNED_BY_ANOTHER,
        Reason.IMMUTABLE_FIELD,
        Reason.FORBIDDEN,
        Reason.PRUNE_LIMIT,
        Reason.SOURCE_DENIED,
    }
)


class Reporter:
    """Writes only news: an unchanged status is not written, an unchanged failure is not logged twice."""

    def __init__(
        self,
        cluster: Cluster,
        catalog: Catalog,
        queues: Queues,
        events: Events,
        notices: Notices,
        clock: Clock,
        stopping: Callable[[], bool],
    ) -> None:
        self._cluster = cluster
        self._catalog = catalog
        self._queues = queues
        self._events = events
        self._notices = notices
        self._clock = clock
        self._stopping = stopping

    def settle(self, progress: Progress, memory: Memory, error: StageError | None) -> None:
        """End a run of an Application."""
        if self._cut_short(error):
            return
        document = self._catalog.document(progress.key)
        for key in progress.wakes:
            self._queues.add(key)
        try:
            if document is not None and not _quiet(document, error):
                self._tell_application(document, progress, memory, error)
        except Transient as unwritten:
            error = unwritten
        self._schedule(progress.key, error, self._look_again(progress, memory, document))

    def settle_other(
        self,
        key: Key,
        status: Record,
        error: StageError | None,
        news: Sequence[Note],
        look_again: float | None = None,
    ) -> None:
        """End a run of a document that is no Application; `look_again` is in seconds, for when there is no error."""
        if self._cut_short(error):
            return
        document = self._catalog.document(key)
        if document is not None:
            before = type(status).model_validate(document.get("status") or {})
            try:
                if before != status and self._write(key, status.model_dump(mode="json", by_alias=True)):
                    self._announce(key, document, news)
            except Transient as unwritten:
                error = unwritten
        self._schedule(key, error, look_again)

    def _cut_short(self, error: StageError | None) -> bool:
        """What fails while the process stops may fail for that alone: the next start tells it, if it is still true."""
        return isinstance(error, Abandoned) or (error is not None and self._stopping())

    def _tell_application(
        self, document: dict[str, Any], progress: Progress, memory: Memory, error: StageError | None
    ) -> None:
        before = ApplicationStatus.model_validate(document.get("status") or {})
        progress.generation = document["metadata"].get("generation", 0)
        after = application_status(
            before, progress, error, self._overdue(progress, memory, document), self._clock.now()
        )
        if before == after:
            return
        news = notes(before, after, progress, error)
        if not self._write(progress.key, after.model_dump(mode="json", by_alias=True)):
            return
        self._announce(progress.key, document, news)
        about = progress.target or progress.revision
        self._notices.application(progress.key, document, before, after, about.commit if about else "")
        for key in self._catalog.promotions_of(progress.key):
            self._queues.add(key)
        if is_ready(after.conditions, progress.generation) and not is_ready(before.conditions, progress.generation):
            for key in self._catalog.dependents_of(progress.key):
                self._queues.add(key)

    def _write(self, key: Key, status: dict[str, Any]) -> bool:
        resource = self._cluster.resource(API_VERSION, key.kind)
        if resource is None:
            return False
        answer = self._cluster.patch(resource, key.namespace, key.name, {"status": status}, "status")
        if isinstance(answer, Refusal):
            if answer.code != 404:
                log.error("a status is refused", extra={"key": str(key), "why": answer.message})
            return False
        self._catalog.observe(answer)
        return True

    def _announce(self, key: Key, document: dict[str, Any], news: Sequence[Note]) -> None:
        for note in news:
            log.log(
                logging.WARNING if note.warning else logging.INFO,
                note.message,
                extra={"key": str(key), "reason": note.reason.value},
            )
            self._events.tell(key, document["metadata"]["uid"], note)

    def _schedule(self, key: Key, error: StageError | None, look_again: float | None) -> None:
        if isinstance(error, Transient):
            self._queues.retry(key, at_least=error.retry_after or 0.0)
            return
        self._queues.forgive(key)
        if isinstance(error, Blocked):
            self._queues.add(key, after=error.wait)
        elif isinstance(error, Terminal) and error.reason in _OF_THE_CLUSTER:
            self._queues.add(key, after=_SECOND_LOOK, priority=LOW)
        elif error is None and look_again is not None:
            self._queues.add(key, after=look_again)

    def _look_again(self, progress: Progress, memory: Memory, document: dict[str, Any] | None) -> float | None:
        """A wait for health has an end: the key comes back when `sync.timeout` is over."""
        if memory.waiting_since is None or document is None:
            return progress.look_again
        left = memory.waiting_since + self._timeout(progress.key) - self._clock.monotonic()
        return max(left, 0.1) if left > 0 else progress.look_again

    def _overdue(self, progress: Progress, memory: Memory, document: dict[str, Any]) -> bool:
        # A version on its way out has deadlines of its own, and may wait for a person.
        walked = {id for rolled in progress.rolled for id in (rolled.id, rolled.carrier)}
        waiting = bool(set(progress.waiting_for) - walked) or any(
            health.level in (Level.PROGRESSING, Level.MISSING)
            for id, health in progress.health.items()
            if id not in walked
        )
        now = self._clock.monotonic()
        if not waiting:
            memory.waiting_since = None
            return False
        if memory.waiting_since is None or progress.wrote:
            memory.waiting_since = now
        return now - memory.waiting_since >= self._timeout(progress.key)

    def _timeout(self, key: Key) -> float:
        try:
            application = self._catalog.application(key)
        except Terminal:
            application = None
        return application.spec.sync.timeout if isinstance(application, Application) else 300.0


def _quiet(document: dict[str, Any], error: StageError | None) -> bool:
    """A wait of our own making (the process has just started) is no news for an Application that runs."""
    started = bool((document.get("status") or {}).get("applied"))
    return isinstance(error, Blocked) and error.reason is Reason.PROGRESSING and started
