"""Who is told what: from news of Applications to the outboxes of the Notifiers that want to hear it."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler.core.candidates import news
from reconciler.core.drift_report import due, report
from reconciler.core.notices import Last, notices
from reconciler.core.routing import concerns, wants
from reconciler.core.standing import commit_of, spoken_of, standing
from reconciler.engine.keys import Key
from reconciler.engine.outbox import Desk, Outbox
from reconciler.engine.queues import Queues
from reconciler.model.application import Application
from reconciler.model.application_status import ApplicationStatus
from reconciler.model.notice import Notice, Severity, Subject
from reconciler.model.notifier import DriftReportTime, Notifier
from reconciler.model.outcome import StageError, Terminal
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment
from reconciler.model.repository import Repository

log = logging.getLogger(__name__)


class Notices:
    """Nothing here waits for anybody: an outbox has a thread of its own."""

    def __init__(self, desk: Desk, queues: Queues) -> None:
        self._desk = desk
        self._queues = queues
        self._lock = threading.Lock()
        self._outboxes: dict[Key, Outbox] = {}
        self._last: dict[Key, Last] = {}
        self._stopped = False

    def application(
        self, key: Key, document: dict[str, Any], before: ApplicationStatus, after: ApplicationStatus, target: str
    ) -> None:
        """An Application has another status: tell those who want to hear it. `target` is the commit of the run.

        A mistake in here is logged, and never the deployment's.
        """
        try:
            about = subject_of(document)
            last = self._last.get(key, Last())
            for told in notices(about, before, after, last, target):
                self.tell(self._linked(key, document, told.notice), news=told.news)
            self._last[key] = last.then(before).then(after)
        except Exception:
            log.exception("the news of an Application could not be told", extra={"key": str(key)})

    def release(
        self,
        namespace: str,
        environment: PromotionEnvironment,
        before: EnvironmentState | None,
        state: EnvironmentState,
        why: str = "",
    ) -> None:
        """An environment of a Promotion has another state: of all its Applications it is told once."""
        keys = (Key("Application", namespace, name) for name in environment.members)
        documents = map(self._desk.catalog.document, keys)
        about = [subject_of(document) for document in documents if document is not None]
        for notice, fresh in news(about, environment, before, state, why) if about else ():
            self.tell(notice, news=fresh)

    def tell(self, notice: Notice, *, news: bool = True) -> None:
        """Hand a notice to every Notifier that is for its Application, or one of its Applications. Returns at once; the
        same twice is told once."""
        for key, notifier in self._notifiers():
            if any(concerns(notifier, about) for about in (notice.about, *notice.beside)):
                outbox = self._outbox(key)
                if outbox is not None:
                    outbox.tell(notice, news=news and wants(notifier.spec, notice))

    def reconcile(self, key: Key) -> None:
        """A Notifier came, has changed or went; or its report is due."""
        try:
            notifier = self._desk.catalog.get(key)
        except Terminal:
            # The API server holds documents to the same rules: only one of another version cannot be read.
            return
        if not isinstance(notifier, Notifier):
            self._forget(key)
            return
        outbox = self._outbox(key)
        if outbox is None:
            return
        complaint: StageError | None = None
        if notifier.spec.report is not None:
            try:
                self._report(key, notifier.spec.report, notifier, outbox)
            except StageError as error:
                complaint = error
        outbox.knock(complaint)

    def stop(self, within: float) -> None:
        with self._lock:
            self._stopped = True
            outboxes = list(self._outboxes.values())
        for outbox in outboxes:
            outbox.stop()
        for outbox in outboxes:
            outbox.join(within / len(outboxes))

    def _notifiers(self) -> list[tuple[Key, Notifier]]:
        return [(key, each) for key, each in self._desk.catalog.all("Notifier") if isinstance(each, Notifier)]

    def _outbox(self, key: Key) -> Outbox | None:
        """The Notifier's; one that is new catches up first. None when we are stopping."""
        with self._lock:
            if self._stopped:
                return None
            outbox = self._outboxes.get(key)
            if outbox is not None:
                return outbox
            outbox = self._outboxes[key] = Outbox(key, self._desk)
        self._catch_up(key, outbox)
        outbox.start()
        return outbox

    def _catch_up(self, key: Key, outbox: Outbox) -> None:
        """What became of the messages that were posted before this process: each is brought up to date, and what
        still wants somebody to act is said. A revision that came while nobody was there is told like any other.
        """
        notifier = self._desk.catalog.get(key)
        kept = outbox.kept()
        if not kept or not isinstance(notifier, Notifier):
            return
        known = {message.partition("@")[0]: each.at for message, each in reversed(kept.items())}
        for owner, application in self._desk.catalog.all("Application"):
            document = self._desk.catalog.document(owner)
            if not isinstance(application, Application) or document is None:
                continue
            about = subject_of(document)
            if str(about) not in known or not concerns(notifier, about):
                continue
            for notice in self._standings(about, application.status):
                notice = self._linked(owner, document, notice)
                message = kept.get(notice.key)
                if message is not None and message.digest == notice.digest:
                    continue
                loud = notice.severity.at_least(Severity.WARNING)
                newer = message is None and _since(application.status, known[str(about)])
                outbox.tell(notice, news=(loud or newer) and wants(notifier.spec, notice))

    def _standings(self, about: Subject, status: ApplicationStatus) -> list[Notice]:
        failed = status.history[0].revision if status.history and status.history[0].result == "Failed" else ""
        found = (standing(about, status, commit, commit_of(failed)) for commit in spoken_of(status))
        return [each for each in found if each is not None]

    def _report(self, key: Key, time: DriftReportTime, notifier: Notifier, outbox: Outbox) -> None:
        """Raises Terminal(INVALID_SPEC) for a schedule that cannot be read: its mend comes back here."""
        now = self._desk.clock.now()
        last, left = due(time, now)
        since = outbox.reported or _created(self._desk.catalog.document(key)) or now
        if last > since:
            found = [
                (subject_of(document), each.status)
                for owner, each in self._desk.catalog.all("Application")
                if isinstance(each, Application) and (document := self._desk.catalog.document(owner)) is not None
            ]
            chosen = [(about, status) for about, status in found if concerns(notifier, about)]
            outbox.report(report(key.namespace, chosen, since, last), last)
        self._queues.add(key, after=left)

    def _forget(self, key: Key) -> None:
        with self._lock:
            outbox = self._outboxes.pop(key, None)
        if outbox is not None:
            outbox.stop()

    def _linked(self, key: Key, document: dict[str, Any], notice: Notice) -> Notice:
        """With the page of its commit, where the Repository has one."""
        source = (document.get("spec") or {}).get("source") or {}
        owner = Key("Repository", key.namespace, str(source.get("repository") or ""))
        try:
            repository = self._desk.catalog.get(owner)
        except Terminal:
            repository = None
        if notice.link or not notice.commit or not isinstance(repository, Repository):
            return notice
        url = repository.spec.url
        if not url.startswith(("https://", "http://")):
            return notice
        return replace(notice, link=f"{url.removesuffix('/').removesuffix('.git')}/commit/{notice.commit}")


def subject_of(document: dict[str, Any]) -> Subject:
    """Of a live Application, also of one whose spec cannot be read as a whole."""
    metadata, spec = document["metadata"], document.get("spec") or {}
    canary = (spec.get("strategy") or {}).get("canary") or {}
    steps = enumerate(canary.get("steps") or ())
    approvals = frozenset(at for at, step in steps if ((step or {}).get("gate") or {}).get("approval"))
    return Subject(metadata.get("namespace", ""), metadata["name"], str(spec.get("project") or ""), approvals)


def _since(status: ApplicationStatus, at: datetime) -> bool:
    return status.attempted is not None and status.attempted.at > at


def _created(document: dict[str, Any] | None) -> datetime | None:
    stamp = ((document or {}).get("metadata") or {}).get("creationTimestamp")
    return datetime.fromisoformat(stamp) if stamp else None
