"""One reconcile of an ImageFeed: ask the registry, choose, and write what is new into the folders that follow it."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.conditions import conditions
from reconciler.core.feeding import selected_of
from reconciler.engine.hooks import Hooks
from reconciler.engine.keys import Key
from reconciler.engine.notes import Note
from reconciler.engine.queues import Queues
from reconciler.engine.report import Reporter
from reconciler.engine.secret_data import credentials_data
from reconciler.engine.stages import feed_send
from reconciler.engine.stages.feed_folder import Folder, Images, Opened, look, name_of, refused_digests, selected
from reconciler.engine.stages.feed_send import Sent, Target, wanted_image
from reconciler.engine.stages.fetch import SYNC
from reconciler.engine.timers import Timers
from reconciler.engine.world import World
from reconciler.model.image_feed import (
    FeedWrite,
    FeedWriteStatus,
    ImageFeed,
    ImageFeedStatus,
    SelectedImage,
    Via,
    WriteState,
)
from reconciler.model.outcome import Blocked, Reason, StageError, Terminal, Transient
from reconciler.ports import Registry

_AGAIN = 5.0
"""Seconds until a push that was overtaken is tried again; the Repository's own look wakes the feed earlier."""
_WAITING = 60.0
_KEPT_LABELS = 100


class Feeds:
    """Level-based: a call reads the feed, the registry and the branch again, whatever woke it."""

    def __init__(
        self, world: World, queues: Queues, timers: Timers, reporter: Reporter, opened: Opened, hooks: Hooks
    ) -> None:
        self._world = world
        self._queues = queues
        self._timers = timers
        self._reporter = reporter
        self._open = opened
        self._hooks = hooks
        self._registries: dict[Key, tuple[object, Registry]] = {}
        self._labels: dict[Key, dict[str, dict[str, str]]] = {}

    def reconcile(self, key: Key) -> None:
        error: StageError | None = None
        run: _Run | None = None
        try:
            feed = self._world.catalog.get(key)
            if not isinstance(feed, ImageFeed):
                self._forget(key)
                return
            self._timers.every(key, feed.spec.interval)
            self._hooks.learn(self._world.cluster, key, feed.spec.secret_ref)
            run = _Run(self._world, feed, self._images(key, feed))
            run.all()
            error = run.error()
        except StageError as problem:
            error = problem
            if problem.reason in (Reason.REGISTRY_DENIED, Reason.CREDENTIALS_NOT_FOUND):
                # The Secret may have been mended: it is read again next time.
                self._registries.pop(key, None)
        self._settle(key, run, error)

    def _images(self, key: Key, feed: ImageFeed) -> Images:
        labels = self._labels.setdefault(key, {})
        if len(labels) > _KEPT_LABELS:
            labels.clear()
        return Images(self._registry(key, feed), name_of(feed), labels)

    def _registry(self, key: Key, feed: ImageFeed) -> Registry:
        reference = feed.spec.credentials_ref
        wanted = (feed.spec.image, feed.spec.timeout, reference)
        known = self._registries.get(key)
        if known is not None and known[0] == wanted:
            return known[1]
        data: dict[str, str] | None = None
        if reference is not None:
            data = credentials_data(self._world.cluster, key.namespace, reference.name)
        registry = self._open(feed, data)
        self._registries[key] = (wanted, registry)
        return registry

    def _settle(self, key: Key, run: _Run | None, error: StageError | None) -> None:
        document = self._world.catalog.document(key) or {}
        before = ImageFeedStatus.model_validate(document.get("status") or {})
        if before.selected is not None and isinstance(error, Blocked) and error.reason is Reason.PROGRESSING:
            # A wait of our own making: the process has just started.
            self._queues.add(key, after=error.wait)
            return
        generation = document.get("metadata", {}).get("generation", 0)
        fresh = run is not None and run.done
        asked = (document.get("metadata", {}).get("annotations") or {}).get(SYNC, "")
        stalled = isinstance(error, Terminal)
        after = ImageFeedStatus(
            observed_generation=generation,
            handled_sync=run.token if run is not None and fresh else asked if stalled else before.handled_sync,
            selected=run.selected if run is not None and fresh else before.selected,
            writes=tuple(run.writes) if run is not None and fresh else before.writes,
            conditions=conditions(
                before.conditions,
                ready=error is None,
                reason=error.reason if error else Reason.SUCCEEDED,
                message=error.message if error else _summary(run),
                generation=generation,
                now=self._world.clock.now(),
                reconciling=error is not None and not stalled,
                stalled=stalled,
            ),
        )
        for woken in run.wakes if run is not None else ():
            self._queues.add(woken)
        self._reporter.settle_other(key, after, error, _news(before, after))

    def _forget(self, key: Key) -> None:
        self._timers.forget(key)
        self._registries.pop(key, None)
        self._labels.pop(key, None)
        self._hooks.forget(key)


class _Run:
    """One look at everything. `writes` are in the order of the spec; what fails in one Repository fails alone."""

    def __init__(self, world: World, feed: ImageFeed, images: Images) -> None:
        self._world = world
        self._feed = feed
        self._images = images
        self.token = feed.metadata.annotations.get(SYNC, "")
        self._asked = self.token != feed.status.handled_sync
        self.selected: SelectedImage | None = None
        self.writes: list[FeedWriteStatus] = []
        self.wakes: list[Key] = []
        self.done = False
        self._why = ""
        self._errors: list[StageError] = []
        self._refused: set[str] = set()
        self._folders: list[Folder] = []

    def all(self) -> None:
        found: dict[tuple[str, str], FeedWriteStatus] = {}
        groups = dict.fromkeys((write.repository, write.via) for write in self._feed.spec.writes)
        for repository, via in groups:
            writes = [each for each in self._feed.spec.writes if (each.repository, each.via) == (repository, via)]
            for status in self._group(repository, via, writes):
                found[status.repository, status.path] = status
        self.writes = [found[write.repository, write.path] for write in self._feed.spec.writes]
        self.selected, self._why = selected(self._feed, self._images, self._folders, self._refused)
        self.done = True

    def error(self) -> StageError | None:
        """The worst of what failed: what passes by itself first, so that it is tried again."""
        passing = [each for each in self._errors if not isinstance(each, Terminal)]
        for each in (*passing, *self._errors):
            return each
        return Terminal(Reason.IMAGE_HELD, f"{self._why}; nothing is written") if self.selected is None else None

    def _group(self, repository: str, via: Via, writes: Sequence[FeedWrite]) -> list[FeedWriteStatus]:
        """The folders of one Repository that are written in one way."""
        try:
            target = self._target(repository)
            folders = [self._look(target, write) for write in writes]
            changing = [folder for folder in folders if folder.files]
            sent = self._send(target, via, changing)
        except StageError as error:
            self._errors.append(error)
            if isinstance(error, Transient) and error.reason is Reason.CONFLICT:
                self.wakes.append(Key("Repository", self._feed.metadata.namespace, repository))
            return [self._failed(write, error) for write in writes]
        if sent is not None and sent.wake:
            self.wakes.append(target.key)
        return [self._status(folder, sent if folder.files or not changing else None) for folder in folders]

    def _target(self, name: str) -> Target:
        key = Key("Repository", self._feed.metadata.namespace, name)
        repository, seen = self._world.catalog.repository(key), self._world.sources.get(key)
        if repository is None:
            words = f"there is no Repository {name!r} in namespace {key.namespace!r}: create it or mend spec.writes"
            raise Blocked(Reason.REPOSITORY_NOT_FOUND, words, _WAITING)
        if seen is None or not seen.refs:
            trouble = seen.trouble if seen is not None else None
            words = f"waiting for Repository {name!r}: {trouble.message if trouble else 'it has not been read yet'}"
            raise Blocked(trouble.reason if trouble else Reason.PROGRESSING, words, _WAITING)
        head = seen.refs.get(f"refs/heads/{repository.spec.branch}")
        if head is None:
            words = f"Repository {name!r} has no branch {repository.spec.branch}: push one, or mend its spec.branch"
            raise Blocked(Reason.REF_NOT_FOUND, words, _WAITING)
        return Target(key, repository, seen, head)

    def _look(self, target: Target, write: FeedWrite) -> Folder:
        world = self._world
        world.source.fetch(target.seen.remote, target.head, target.seen.refs)
        refused = refused_digests(world, self._feed, write, target.seen, self._images)
        self._refused |= refused
        tree = world.source.tree(target.seen.remote, target.head)
        self._folders.append(look(self._feed, write, tree, self._images, refused))
        return self._folders[-1]

    def _send(self, target: Target, via: Via, changing: Sequence[Folder]) -> Sent | None:
        if not changing:
            return feed_send.withdraw(self._world, self._feed, target) if via is Via.PULL_REQUEST else None
        send = feed_send.push if via is Via.COMMIT else feed_send.propose
        return send(self._world, self._feed, target, changing, self._described, self._asked)

    def _described(self, tag: str, digest: str) -> SelectedImage:
        return selected_of(tag, digest, self._images.labels(digest))

    def _status(self, folder: Folder, sent: Sent | None) -> FeedWriteStatus:
        if sent is None:
            state = WriteState.CURRENT if folder.tag else WriteState.HELD
            sent = Sent(state, self._before(folder.write).commit, self._before(folder.write).pull_request, folder.why)
        return FeedWriteStatus(
            repository=folder.write.repository,
            path=folder.write.path,
            image=wanted_image(self._feed, folder),
            state=sent.state,
            commit=sent.commit or self._before(folder.write).commit,
            pull_request=sent.pull_request,
            message=sent.message,
        )

    def _failed(self, write: FeedWrite, error: StageError) -> FeedWriteStatus:
        """What was there stays known: after a passing failure it must not be taken for new."""
        return self._before(write).model_copy(update={"state": WriteState.FAILED, "message": error.message})

    def _before(self, write: FeedWrite) -> FeedWriteStatus:
        for each in self._feed.status.writes:
            if (each.repository, each.path) == (write.repository, write.path):
                return each
        return FeedWriteStatus(repository=write.repository, path=write.path, state=WriteState.CURRENT)


def _summary(run: _Run | None) -> str:
    if run is None or run.selected is None:
        return ""
    parts = [f"{each.path}: {each.state.value}" for each in run.writes]
    return f"{run.selected.tag} ({run.selected.digest[:19]}); {', '.join(parts)}"


def _news(before: ImageFeedStatus, after: ImageFeedStatus) -> list[Note]:
    """A new image, what became of it in each folder, and failures that are new."""
    found = []
    if after.selected is not None and (before.selected is None or before.selected.digest != after.selected.digest):
        words = f"{after.selected.tag} ({after.selected.digest[:19]}) is what the policy wants"
        found.append(Note(False, Reason.IMAGE_SELECTED, words))
    old = {(each.repository, each.path): each for each in before.writes}
    for each in after.writes:
        was = old.get((each.repository, each.path))
        if was is not None and (was.state, was.message, was.image) == (each.state, each.message, each.image):
            continue
        if each.state in (WriteState.PUSHED, WriteState.OPEN, WriteState.MERGED):
            found.append(Note(False, Reason.IMAGE_WRITTEN, f"{each.path}: {each.image}: {each.message}"))
        elif each.state in (WriteState.HELD, WriteState.CLOSED):
            found.append(Note(True, Reason.IMAGE_HELD, f"{each.path}: {each.message}"))
    told = {(each.reason, each.message) for each in before.conditions if each.type == "Ready"}
    for ready in after.conditions:
        if ready.type == "Ready" and ready.status == "False" and (ready.reason, ready.message) not in told:
            found.append(Note(True, Reason(ready.reason), ready.message))
    return found
