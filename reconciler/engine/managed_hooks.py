"""The hooks that Dispatch keeps at forges: made, kept right, renewed, taken away; and the events that did not come."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.webhook import address, hook_url, same_place
from reconciler.engine.git_hooks import GitHooks
from reconciler.engine.keys import Key
from reconciler.engine.notes import Note
from reconciler.engine.progress import Abandoned
from reconciler.engine.stages.fetch import SYNC
from reconciler.engine.webhook_keys import Keys, keys_of
from reconciler.engine.world import World
from reconciler.model.change import Refusal
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.model.repository import Repository, RepositorySpec, WebhookState, WebhookStatus
from reconciler.ports import GitCredentials, Webhooks

log = logging.getLogger(__name__)

FINALIZER = "dispatch.dev/webhook"
_CHECK = 600.0
"""Seconds for which a hook that was found right is not looked at again: a forge counts requests."""
_AGAIN = 60.0
"""Seconds until a forge that did not answer is asked again."""
_LATE = 20.0
"""Seconds that an event may come after the change that it tells of."""
_PATIENCE = timedelta(minutes=5)
"""How long a Repository that is deleted waits for a forge that does not answer."""

Opened = Callable[[Repository, GitCredentials], Webhooks | None]


@dataclass(frozen=True, slots=True)
class Hooking:
    """`url` is where forges reach the hooks, empty when nobody has said it; `opened` are those of a Repository."""

    url: str
    opened: Opened


@dataclass(frozen=True, slots=True)
class Looked:
    """A look at the remote: `began` in seconds of the monotonic clock, `moved` when a branch or a tag did since the one
    before."""

    began: float
    moved: bool


@dataclass(slots=True)
class _Known:
    """What the process remembers of one hook; all of it may be lost. Times are of the monotonic clock. `refused` and
    `renewed` are how many events had been refused when the Secrets were read, and when the hook was written, last.
    `suspect` is a change without an event: when the look before it began, and when it was found."""

    keys: Keys | None = None
    spec: RepositorySpec | None = None
    wanted: str = ""
    checked: float = float("-inf")
    token: str = ""
    refused: int = 0
    renewed: int = 0
    since: float = float("inf")
    looked: float = float("inf")
    suspect: tuple[float, float] | None = None


class ManagedHooks:
    """One call for each reconcile of a Repository. What fails here is told and tried again, and stops nothing else:
    without a hook Dispatch polls."""

    def __init__(self, world: World, hooks: GitHooks, hooking: Hooking) -> None:
        self._world = world
        self._cluster = world.cluster
        self._clock = world.clock
        self._hooks = hooks
        self._hooking = hooking
        self._known: dict[Key, _Known] = {}

    def settle(
        self, key: Key, repository: Repository, credentials: GitCredentials | None, looked: Looked
    ) -> tuple[WebhookStatus | None, float | None]:
        """The status, and in how many seconds to look again (None: at the next interval)."""
        known, before = self._known.setdefault(key, _Known()), repository.status.webhook
        missed, wait = self._missed(key, known, looked)
        spec = repository.spec.webhook
        try:
            if spec is None or not spec.managed:
                self._let_go(repository, credentials)
            if spec is None:
                self.forget(key)
                return None, None
            after = self._kept(key, repository, credentials, known, missed)
        except Abandoned:
            raise
        except StageError as error:
            if error.reason is Reason.CONFLICT:
                return before, 1.0
            known.checked, known.since = float("-inf"), float("inf")
            wait = _AGAIN if isinstance(error, Transient) else _CHECK
            url = before.url if before is not None else ""
            after = WebhookStatus(state=WebhookState.FAILED, url=url, message=error.message)
        return self._told(key, before, after, missed, looked.moved), wait

    def forget(self, key: Key) -> None:
        self._known.pop(key, None)
        self._hooks.forget(key)

    def release(self, key: Key, repository: Repository, credentials: Callable[[], GitCredentials | None]) -> None:
        """Take the hook away before the Repository goes. Raises Transient while the forge does not answer, for a while;
        what cannot be taken away is told in the log and stays."""
        if FINALIZER not in repository.metadata.finalizers:
            return
        try:
            self._remove(repository, credentials())
        except Abandoned:
            raise
        except StageError as error:
            asked_at = repository.metadata.deletion_timestamp or self._clock.now()
            if isinstance(error, Transient) and self._clock.now() - asked_at < _PATIENCE:
                raise
            words = "the hook of a deleted Repository stays at its forge: take it away by hand"
            log.warning(words, extra={"key": str(key), "why": error.message})
        self._finalize(repository, present=False)
        self.forget(key)

    def _kept(
        self, key: Key, repository: Repository, credentials: GitCredentials | None, known: _Known, missed: bool
    ) -> WebhookStatus:
        assert repository.spec.forge is not None and repository.spec.webhook is not None
        now, refused = self._clock.monotonic(), self._hooks.heard(key).refused
        asked = repository.metadata.annotations.get(SYNC, "")
        # Something came that was not signed as it should be, and what should have come did not.
        renew = missed and refused != known.renewed
        same = (repository.spec, asked) == (known.spec, known.token)
        fresh = same and not missed and now - known.checked < _CHECK
        if not fresh or refused != known.refused or known.keys is None:
            known.keys = keys_of(self._cluster, repository, credentials)
        known.refused, known.token, known.spec = refused, asked, repository.spec
        self._hooks.learn(key, repository.spec.forge.kind, known.keys.secret)
        if not repository.spec.webhook.managed:
            known.checked = now
            return WebhookStatus(state=WebhookState.BY_HAND)
        url = self._url(key, known.keys.secret)
        if not fresh or url != known.wanted:
            self._ensure(repository, known.keys, url, renew)
            known.checked, known.wanted, known.renewed = now, url, refused
            known.since = min(known.since, self._clock.monotonic())
        return WebhookStatus(state=WebhookState.MANAGED, url=url)

    def _url(self, key: Key, secret: str) -> str:
        if not self._hooking.url:
            raise Terminal(
                Reason.WEBHOOK_FAILED,
                "spec.webhook.managed needs the address at which the forge reaches this controller: start it with "
                "`dispatch run --hooks-url https://HOST`, and let /hooks/git/ through to --listen",
            )
        return hook_url(self._hooking.url, key.namespace, key.name, secret)

    def _ensure(self, repository: Repository, keys: Keys, url: str, renew: bool) -> None:
        # Before the hook: whatever ends the process in between, the Repository does not go without taking it away.
        self._finalize(repository, present=True)
        webhooks = self._opened(repository, keys)
        webhooks.ensure(url, keys.secret, renew=renew)
        before = repository.status.webhook
        if before is not None and before.url and not same_place(before.url, url):
            webhooks.remove(before.url)

    def _let_go(self, repository: Repository, credentials: GitCredentials | None) -> None:
        """`managed` was turned off: the finalizer says that there may be a hook of ours."""
        if FINALIZER in repository.metadata.finalizers:
            self._remove(repository, credentials)
            self._finalize(repository, present=False)

    def _remove(self, repository: Repository, credentials: GitCredentials | None) -> None:
        metadata, before = repository.metadata, repository.status.webhook
        urls = [before.url] if before is not None and before.url else []
        if self._hooking.url:
            urls.append(address(self._hooking.url, metadata.namespace, metadata.name))
        if urls and repository.spec.forge is None:
            log.warning(
                "a hook stays at its forge, which is not told any more", extra={"why": urls[0].partition("?")[0]}
            )
        if not urls or repository.spec.forge is None:
            return
        webhooks = self._opened(repository, keys_of(self._cluster, repository, credentials))
        for url in dict.fromkeys(each.partition("?")[0] for each in urls):
            webhooks.remove(url)

    def _opened(self, repository: Repository, keys: Keys) -> Webhooks:
        webhooks = self._hooking.opened(repository, keys.access)
        assert webhooks is not None, "the Repository has a forge"
        return webhooks

    def _finalize(self, repository: Repository, *, present: bool) -> None:
        metadata = repository.metadata
        if present is (FINALIZER in metadata.finalizers):
            return
        left = [each for each in metadata.finalizers if each != FINALIZER]
        resource = self._cluster.resource(repository.api_version, "Repository")
        if resource is None:
            raise Terminal(Reason.UNKNOWN_KIND, "the kind Repository is no longer served")
        # With the version that was read: somebody else's finalizer that came meanwhile must not be lost.
        wanted = {"finalizers": [*left, FINALIZER] if present else left, "resourceVersion": metadata.resource_version}
        answer = self._cluster.patch(resource, metadata.namespace, metadata.name, {"metadata": wanted})
        if not isinstance(answer, Refusal):
            self._world.catalog.observe(answer)
        elif answer.code != 404:
            if answer.code == 409:
                raise Transient(Reason.CONFLICT, "the Repository has changed meanwhile. It is read again.")
            raise Terminal(
                Reason.FORBIDDEN,
                f"the Repository cannot be given the finalizer {FINALIZER}, without which its hook would stay behind: "
                f"{answer.message}. Run `dispatch install` again, which brings the right",
            )

    def _missed(self, key: Key, known: _Known, looked: Looked) -> tuple[bool, float | None]:
        """Whether something moved of which no event came, though the hook was there; and when that can be told."""
        refs_at = self._hooks.heard(key).refs_at
        if looked.moved and known.since <= known.looked and refs_at < known.looked and known.suspect is None:
            known.suspect = (known.looked, looked.began)
        known.looked = looked.began
        if known.suspect is None:
            return False, None
        since, found = known.suspect
        left = found + _LATE - self._clock.monotonic()
        if refs_at < since and left > 0:
            return False, left
        known.suspect = None
        return refs_at < since, None

    def _told(
        self, key: Key, before: WebhookStatus | None, after: WebhookStatus, missed: bool, moved: bool
    ) -> WebhookStatus:
        now: datetime = self._clock.now().replace(microsecond=0)
        kept = WebhookStatus(
            **after.model_dump(include={"state", "url", "message"}),
            last_event=before.last_event if before else None,
            missed=(before.missed if before else 0) + missed,
            last_missed=now if missed else before.last_missed if before else None,
        )
        # An event alone is no news: the status is not written for each of them.
        last = self._hooks.heard(key).last if moved or kept != before else None
        return kept.model_copy(update={"last_event": last}) if last else kept


def news_of(before: WebhookStatus | None, after: WebhookStatus | None) -> list[Note]:
    """What of the hook is worth an event."""
    if after is None:
        return []
    found = []
    if before is None or (before.state, before.message) != (after.state, after.message):
        if after.state is WebhookState.FAILED:
            found.append(Note(True, Reason.WEBHOOK_FAILED, after.message))
        elif after.state is WebhookState.MANAGED:
            words = f"the forge tells of what happens by {after.url.partition('?')[0]}"
            found.append(Note(False, Reason.WEBHOOK_READY, words))
    if before is not None and after.missed > before.missed:
        words = "something was pushed of which no event came: it was found at spec.interval"
        found.append(Note(True, Reason.WEBHOOK_MISSED, f"{words} ({after.missed} so far)"))
    return found
