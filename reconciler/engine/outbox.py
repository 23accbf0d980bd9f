"""What one Notifier still has to tell: a thread of its own, so that a place that is slow or dead holds up nobody."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.core.backoff import delay
from reconciler.core.conditions import conditions
from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.engine.secret_data import secret_data
from reconciler.model.change import Refusal
from reconciler.model.notice import Notice
from reconciler.model.notifier import KEPT_MESSAGES, KeptMessage, Notifier, NotifierSpec, NotifierStatus
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.model.permit import Permit, always
from reconciler.model.resource import API_VERSION
from reconciler.ports import Clock, Cluster, Messenger

log = logging.getLogger(__name__)

MOST = 500
"""Messages that may wait; beyond that the one that waits longest is never told, and is counted."""
_REPLIES = 10
_LONGEST, _REFUSED_WAIT = 60.0, 60.0


@dataclass(slots=True)
class Telling:
    """One message: how it stands now, and what is said below it if it is there already."""

    notice: Notice
    replies: list[Notice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an outbox works with. `open` makes a messenger of a spec and the data of its Secret."""

    cluster: Cluster
    catalog: Catalog
    clock: Clock
    open: Callable[[NotifierSpec, Mapping[str, str]], Messenger]
    permit: Permit = always


class Outbox:
    """The newest notice of a message wins, and an older one that still waits is dropped.

    What was posted is in the Notifier's status: `KeptMessage` without an id is written before a message is posted, and
    gets its id after; whoever finds one without looks for the message before it posts.
    """

    def __init__(self, key: Key, desk: Desk) -> None:
        self._key = key
        self._desk = desk
        self._status = _status(desk.catalog.document(key))
        self._messages = {each.key: each for each in reversed(self._status.messages)}
        self._waiting: dict[str, Telling] = {}
        self._condition = threading.Condition()
        self._knocked, self._stopped = True, False
        self._not_before = 0.0
        self._failures = 0
        self._dropped = self._status.dropped
        self._reported = self._status.last_report
        self._messenger: Messenger | None = None
        self._complaint: StageError | None = None
        self._thread = threading.Thread(target=self._loop, name=f"notices-{key.namespace}-{key.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """What waits is found again from the statuses by the next start."""
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def join(self, within: float) -> None:
        if self._thread.is_alive():
            self._thread.join(within)

    def knock(self, complaint: StageError | None = None) -> None:
        """The Notifier or its Secret may be another one: open it anew, and try at once. `complaint` is what is wrong
        with the Notifier though notices can be told; its status says it."""
        with self._condition:
            self._complaint = complaint
            self._knocked = True
            self._not_before = 0.0
            self._condition.notify()

    def kept(self) -> dict[str, KeptMessage]:
        """What was posted, by key."""
        with self._condition:
            return dict(self._messages)

    @property
    def reported(self) -> datetime | None:
        """Up to when drift was reported."""
        return self._reported

    def report(self, notice: Notice, until: datetime) -> None:
        self._reported = until
        self.tell(notice, news=True)

    def tell(self, notice: Notice, *, news: bool) -> None:
        """Returns at once. Without `news` only a message that was begun is brought up to date."""
        with self._condition:
            before = self._waiting.get(notice.key)
            kept = self._messages.get(notice.key)
            if before is None and kept is not None and kept.id and kept.digest == notice.digest:
                return
            if not news and before is None and kept is None:
                return
            replies = [*(before.replies if before else ()), *([notice] if news else ())]
            self._waiting[notice.key] = Telling(notice, replies[-_REPLIES:])
            if len(self._waiting) > MOST:
                self._waiting.pop(next(iter(self._waiting)))
                self._dropped += 1
            self._condition.notify()

    def _loop(self) -> None:
        while True:
            telling = self._next()
            if self._stopped:
                return
            try:
                self._deliver(telling) if telling is not None else self._open()
            except StageError as error:
                self._failed(telling, error)
            except Exception:
                if self._stopped:
                    return
                # One notice that we cannot make anything of must not end the thread that tells all others.
                log.exception("a notice could not be told", extra={"key": str(self._key)})

    def _next(self) -> Telling | None:
        """The one that waits longest, when its time has come; None to open the place (anew)."""
        with self._condition:
            while not self._stopped:
                if self._knocked:
                    self._knocked = False
                    return None
                wait = self._not_before - self._desk.clock.monotonic()
                if self._waiting and wait <= 0:
                    return self._waiting.pop(next(iter(self._waiting)))
                self._condition.wait(wait if self._waiting else None)
            return None

    def _open(self) -> Messenger:
        """With the Secret as it is now. Raises Terminal(CREDENTIALS_NOT_FOUND, FORBIDDEN, ...)."""
        self._messenger = None
        notifier = self._desk.catalog.get(self._key)
        if not isinstance(notifier, Notifier):
            raise Terminal(Reason.INVALID_SPEC, "the Notifier is gone")
        spec = notifier.spec
        place = spec.slack or spec.webhook
        assert place is not None
        name = place.secret_ref.name
        data = secret_data(self._desk.cluster, self._key.namespace, name)
        if data is None:
            raise Terminal(
                Reason.CREDENTIALS_NOT_FOUND, f"there is no Secret {name!r} in namespace {self._key.namespace!r}"
            )
        self._messenger = self._desk.open(spec, data)
        self._write(None)
        return self._messenger

    def _deliver(self, telling: Telling) -> None:
        messenger = self._messenger or self._open()
        self._desk.permit()
        notice = telling.notice
        kept = self._messages.get(notice.key)
        if kept is None:
            kept = self._begin(notice)
            id = messenger.post(notice)
        elif not kept.id:
            # It may have been posted before the answer, or we, were lost.
            found = messenger.find(notice.key, kept.at)
            id = found if found and messenger.update(found, notice) else messenger.post(notice)
        elif kept.digest == notice.digest or messenger.update(kept.id, notice):
            self._reply(messenger, kept, telling)
            id = kept.id
        else:
            # Somebody has deleted it, or it is too old to be edited.
            kept = self._begin(notice)
            id = messenger.post(notice)
        telling.replies.clear()
        self._keep(kept.model_copy(update={"id": id, "digest": notice.digest}))
        self._failures = 0
        self._write(None, sent=True)

    def _reply(self, messenger: Messenger, kept: KeptMessage, telling: Telling) -> None:
        while telling.replies:
            if telling.replies[0].digest != kept.digest:
                messenger.reply(kept.id, telling.replies[0])
            telling.replies.pop(0)

    def _begin(self, notice: Notice) -> KeptMessage:
        """Write down that it is about to be posted."""
        begun = KeptMessage(key=notice.key, at=self._desk.clock.now())
        before = self._messages.get(notice.key)
        self._keep(begun)
        try:
            self._write(None)
        except StageError:
            with self._condition:
                self._messages.pop(notice.key)
                if before is not None:
                    self._messages[notice.key] = before
            raise
        return begun

    def _keep(self, message: KeptMessage) -> None:
        with self._condition:
            self._messages.pop(message.key, None)
            self._messages[message.key] = message
            while len(self._messages) > KEPT_MESSAGES:
                self._messages.pop(next(iter(self._messages)))

    def _failed(self, telling: Telling | None, error: StageError) -> None:
        self._failures += 1
        unfit = error.reason is Reason.NOTICE_UNFIT
        with self._condition:
            if unfit:
                self._dropped += 1
            elif telling is not None:
                self._put_back(telling)
            if isinstance(error, Transient):
                wait = delay(self._failures, first=1.0, factor=2.0, most=_LONGEST, jitter=random.random())  # noqa: S311
                wait = max(wait, error.retry_after or 0.0)
            else:
                wait = 0.0 if unfit else _REFUSED_WAIT
                self._messenger = None
            self._not_before = self._desk.clock.monotonic() + wait
        if self._failures == 1 or isinstance(error, Terminal):
            log.warning("a notice is not taken", extra={"key": str(self._key), "why": error.message})
        try:
            self._write(None if unfit else error)
        except StageError as unwritten:
            log.debug("the status of a Notifier could not be written", extra={"why": unwritten.message})

    def _put_back(self, telling: Telling) -> None:
        """In front; a newer one of the same message has come meanwhile, and wins."""
        newer = self._waiting.pop(telling.notice.key, None)
        if newer is not None:
            telling = Telling(newer.notice, [*telling.replies, *newer.replies][-_REPLIES:])
        self._waiting = {telling.notice.key: telling, **self._waiting}

    def _write(self, error: StageError | None, *, sent: bool = False) -> None:
        """The status, when it has changed. Raises Transient(CLUSTER_UNREACHABLE)."""
        document = self._desk.catalog.document(self._key)
        if document is None:
            return
        after = self._next_status(document["metadata"].get("generation", 0), error or self._complaint, sent)
        if after == self._status:
            return
        resource = self._desk.cluster.resource(API_VERSION, self._key.kind)
        if resource is None:
            return
        patch = {"status": after.model_dump(mode="json", by_alias=True)}
        answer = self._desk.cluster.patch(resource, self._key.namespace, self._key.name, patch, "status")
        if isinstance(answer, Refusal):
            if answer.code == 404:
                return
            raise Transient(Reason.CLUSTER_UNREACHABLE, f"the status of {self._key} is refused: {answer.message}")
        self._status = after
        self._desk.catalog.observe(answer)

    def _next_status(self, generation: int, error: StageError | None, sent: bool) -> NotifierStatus:
        now = self._desk.clock.now()
        stalled = isinstance(error, Terminal)
        found: dict[str, Any] = {
            "observed_generation": generation,
            "failures": self._failures,
            "dropped": self._dropped,
            "last_report": self._reported,
            "messages": tuple(reversed(self._messages.values())),
            "conditions": conditions(
                self._status.conditions,
                ready=error is None,
                reason=error.reason if error else Reason.SUCCEEDED,
                message=error.message if error else "people are told",
                generation=generation,
                now=now,
                reconciling=error is not None and not stalled,
                stalled=stalled,
            ),
        }
        return self._status.model_copy(update={**found, **({"last_sent": now} if sent else {})})


def _status(document: dict[str, Any] | None) -> NotifierStatus:
    return NotifierStatus.model_validate((document or {}).get("status") or {})
