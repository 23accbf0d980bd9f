"""The running controller: watches and timers add keys, workers take them, and all of it stops in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from reconciler.core.progressive.template import ROLLOUT
from reconciler.engine.actions import Actions
from reconciler.engine.applications import Applications
from reconciler.engine.catalog import Catalog
from reconciler.engine.events import Events
from reconciler.engine.feeds import Feeds
from reconciler.engine.followers import Followers
from reconciler.engine.freezes import Times
from reconciler.engine.gates import answer
from reconciler.engine.git_hooks import GitHooks, Receiving
from reconciler.engine.hooks import Hooks
from reconciler.engine.hotfixes import Hotfixes
from reconciler.engine.keys import Key
from reconciler.engine.leader import Leader
from reconciler.engine.ledgers import Ledgers
from reconciler.engine.live import LiveObjects
from reconciler.engine.managed_hooks import Hooking, ManagedHooks
from reconciler.engine.notices import Notices
from reconciler.engine.outbox import Desk
from reconciler.engine.promotions import Promotions
from reconciler.engine.queue import LOW, NORMAL
from reconciler.engine.queues import Queues
from reconciler.engine.report import Reporter
from reconciler.engine.repositories import Repositories
from reconciler.engine.sources import Sources
from reconciler.engine.stages.feed_folder import Opened
from reconciler.engine.timers import Timers
from reconciler.engine.workers import Workers
from reconciler.engine.world import Rolling, World
from reconciler.model.change import EventType, Resource
from reconciler.model.identity import ObjectId
from reconciler.model.notifier import NotifierSpec
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.permit import permit_of
from reconciler.model.resource import API_VERSION
from reconciler.model.rollout import Verdict
from reconciler.ports import Clock, Cluster, Messenger, Renderer, Source

log = logging.getLogger(__name__)

_PATIENCE = 2.0
"""Seconds in which a run may end by itself when the process is to stop: enough for a push that is under way."""
_READERS = 8
"""Repositories that are asked at the same time; they wait for hosts, not for a processor."""
_PROMOTERS = 2
_FEEDERS = 4
"""Feeds that ask their registries at the same time."""
_INSTALLING = 30.0
"""Seconds for which a kind that is not served is waited for: a definition is served about a second after it is made,
and the controller may be started by the very command that installs it."""


class Kind(NamedTuple):
    """One of our kinds that has work to do: `reconcile` is called with its keys, by so many workers at a time."""

    name: str
    reconcile: Callable[[Key], None]
    workers: int


class Controller:
    """`start`, then `stop`. Everything in it can be lost and is found again from Git and the cluster."""

    def __init__(
        self,
        source: Source,
        renderer: Renderer,
        cluster: Cluster,
        clock: Clock,
        *,
        rolling: Rolling,
        messenger: Callable[[NotifierSpec, Mapping[str, str]], Messenger],
        registry: Opened,
        hooking: Hooking,
        interrupt: Callable[[], None],
        cluster_name: str = "default",
        workers: int = 8,
        namespace: str = "",
        leader: Leader | None = None,
    ) -> None:
        """`interrupt` ends, for good, what `source` and `renderer` are doing. `leader` leads when `start` is called;
        when it does no more, runs end as if the process were told to stop."""
        self._interrupt = interrupt
        self._cluster = cluster
        self._namespace = namespace
        self._stopping = threading.Event()
        self._leader = leader
        self._starting = True
        self.queues = Queues(clock.monotonic)
        self.catalog = Catalog(self._wake)
        self.live = LiveObjects(self._wake_owner)
        self._followers = Followers(cluster, self.live)
        self._timers = Timers(self._ring)
        self._events = Events(cluster)
        self.actions = Actions(self._wake)
        self._hooks = Hooks(self._ring)
        self._git_hooks = GitHooks(self._ring, self.catalog, clock)
        self._clock = clock
        self._times = Times(rolling.gatekeeper, rolling.forecast)
        world = World(
            source=source,
            renderer=renderer,
            cluster=cluster,
            clock=clock,
            catalog=self.catalog,
            sources=Sources(),
            live=self.live,
            followers=self._followers,
            stopping=self._halted,
            actions=self.actions,
            ledgers=Ledgers(source, cluster_name),
            rolling=rolling,
        )
        self.notices = Notices(Desk(cluster, self.catalog, clock, messenger, permit_of(leader)), self.queues)
        reporter = Reporter(cluster, self.catalog, self.queues, self._events, self.notices, clock, self._halted)
        feeds = Feeds(world, self.queues, self._timers, reporter, registry, self._hooks)
        managed = ManagedHooks(world, self._git_hooks, hooking)
        repositories = Repositories(world, self.queues, self._timers, reporter, managed)
        kinds = (
            Kind("Application", Applications(world, reporter).reconcile, workers),
            Kind("ImageFeed", feeds.reconcile, _FEEDERS),
            Kind("Promotion", Promotions(world, self.queues, reporter, self.notices).reconcile, _PROMOTERS),
            Kind("Hotfix", Hotfixes(world, self.queues, reporter, self.notices).reconcile, 1),
            Kind("Repository", repositories.reconcile, _READERS),
            Kind("Notifier", self.notices.reconcile, 1),
        )
        self._workers = [Workers(self.queues.of(each.name), each.reconcile, each.workers, each.name) for each in kinds]
        asked = ("PromotionAction", "RolloutAction")
        self._listed = {name: threading.Event() for name in (*(each.name for each in kinds), *asked)}
        self._readers: list[threading.Thread] = []

    def start(self, failed: Callable[[StageError], None]) -> None:
        """Read our own kinds, then work. `failed` is called from a thread when they cannot be read at all."""
        self._events.start()
        self._timers.start()
        for kind in self._listed:
            thread = threading.Thread(target=self._read, args=(kind, failed), name=f"read-{kind}", daemon=True)
            thread.start()
            self._readers.append(thread)
        threading.Thread(target=self._begin, name="begin", daemon=True).start()

    def stop(self, within: float = 10.0) -> bool:
        """Finish or abandon the runs under way; True when all of them ended within the time (seconds).

        What is read or rendered is given up after `_PATIENCE`: a host that hangs would hold us for a minute.
        """
        deadline = time.monotonic() + within
        self._stopping.set()
        self._timers.stop()
        for workers in self._workers:
            workers.close()
        if not self._ended(min(time.monotonic() + _PATIENCE, deadline)):
            self._interrupt()
        ended = self._ended(deadline - 2.0)
        self.notices.stop(0.5)
        self._events.stop(0.5)
        self._followers.stop(max(deadline - time.monotonic(), 0.1))
        return ended

    def _ended(self, deadline: float) -> bool:
        return all(workers.join(deadline) for workers in self._workers)

    def gate(self, namespace: str, rollout: str, pod_hash: str, step: int) -> tuple[Verdict, str]:
        """The answer to Argo Rollouts about one step of one version: from memory, at once."""
        return answer(
            self.catalog,
            self.live,
            self.actions,
            self._times,
            ObjectId(*ROLLOUT, namespace, rollout),
            pod_hash,
            step,
            self._clock.now(),
        )

    def hook(self, namespace: str, feed: str, body: bytes, signature: str) -> int:
        """The HTTP status for a push that a pipeline tells of: from memory, at once."""
        return self._hooks.take(namespace, feed, body, signature)

    def git_hook(self, namespace: str, repository: str, headers: Mapping[str, str]) -> Receiving | int:
        """What takes the body of an event of a forge, or the HTTP status for one that is not read: from memory."""
        return self._git_hooks.begin(namespace, repository, headers)

    def ready(self) -> bool:
        """Whether our own kinds are listed, so that the work has begun."""
        return not self._starting

    def _halted(self) -> bool:
        """Whether runs are to end between two writes."""
        return self._stopping.is_set() or (self._leader is not None and not self._leader.leads())

    def _begin(self) -> None:
        """Workers start once all kinds are listed: an Application must not be told that its Repository is missing."""
        for event in self._listed.values():
            while not event.wait(0.5):
                if self._stopping.is_set():
                    return
        self._starting = False
        if not self._stopping.is_set():
            for workers in self._workers:
                workers.start()

    def _read(self, kind: str, failed: Callable[[StageError], None]) -> None:
        try:
            resource = self._served(kind)
            if resource is None:
                return
            for event in self._cluster.follow(resource, namespace=self._namespace, stop=self._stopping.is_set):
                self._take(kind, event.type, event.document)
        except StageError as error:
            failed(error)

    def _served(self, kind: str) -> Resource | None:
        """None when told to stop. Raises Terminal once the kind has been missing for too long."""
        missing_until = time.monotonic() + _INSTALLING
        while not self._stopping.is_set():
            try:
                resource = self._cluster.resource(API_VERSION, kind)
            except StageError as error:
                log.warning("waiting for the API server", extra={"why": error.message})
                self._stopping.wait(2.0)
                missing_until = time.monotonic() + _INSTALLING
                continue
            if resource is not None:
                return resource
            if time.monotonic() > missing_until:
                raise Terminal(
                    Reason.UNKNOWN_KIND, f"the kind {kind} is not served by this cluster: run `dispatch install` first"
                )
            self._stopping.wait(0.5)
        return None

    def _take(self, kind: str, type: EventType, document: dict[str, Any]) -> None:
        if kind == "RolloutAction":
            self._take_action(type, document)
            return
        match type:
            case EventType.LISTING:
                self.catalog.listing(kind)
            case EventType.LISTED:
                self.catalog.listed(kind)
                self._listed[kind].set()
            case EventType.DELETED:
                self.catalog.remove(document)
            case _:
                self.catalog.observe(document)

    def _take_action(self, type: EventType, document: dict[str, Any]) -> None:
        match type:
            case EventType.LISTING:
                self.actions.listing()
            case EventType.LISTED:
                self.actions.listed()
                self._listed["RolloutAction"].set()
            case EventType.DELETED:
                self.actions.remove(document)
            case _:
                self.actions.observe(document)

    def _wake(self, key: Key) -> None:
        if key.kind == "PromotionAction":
            # Of one that is gone nobody knows any more whose it was: the Promotion looks again by itself.
            asked = self.catalog.promotion_of(key)
            if asked is None:
                return
            key = asked
        if key.kind == "Hotfix" and (held := self.catalog.promotion_of(key)) is not None:
            # What is on its way by itself gives way to it.
            self.queues.add(held)
        if key.kind == "Promotion":
            for fix in self.catalog.hotfixes_of(key):
                self.queues.add(Key("Hotfix", key.namespace, fix.metadata.name))
            # Its freezes and windows hold the rollouts of its environments, too.
            for member in self.catalog.members_of(key) if not self._starting else ():
                self.queues.add(member)
        self.queues.add(key, priority=LOW if self._starting and key.kind == "Application" else NORMAL)

    def _wake_owner(self, applyset: str) -> None:
        key = self.catalog.owner(applyset)
        if key is not None:
            self.queues.add(key)

    def _ring(self, key: Any) -> None:
        self.queues.add(key)
