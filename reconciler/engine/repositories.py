"""One reconcile of a Repository: ask the remote for its refs, and wake the Applications when they moved."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from reconciler.core.conditions import conditions
from reconciler.core.place import place_of
from reconciler.core.refs import moved, resolve
from reconciler.engine.keys import Key
from reconciler.engine.managed_hooks import Looked, ManagedHooks, news_of
from reconciler.engine.notes import Note
from reconciler.engine.queues import Queues
from reconciler.engine.report import Reporter
from reconciler.engine.secret_data import credentials_data
from reconciler.engine.signing_keys import SigningKeys
from reconciler.engine.sources import Seen
from reconciler.engine.stages.fetch import SYNC
from reconciler.engine.timers import Timers
from reconciler.engine.world import World
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.repository import Repository, RepositorySpec, RepositoryStatus, WebhookStatus
from reconciler.model.revision import Revision
from reconciler.ports import GitCredentials, GitHubApp, Remote

_APP = ("githubAppID", "githubAppInstallationID", "githubAppPrivateKey")


class Repositories:
    """Level-based: a call reads the Repository and the remote again, whatever woke it."""

    def __init__(self, world: World, queues: Queues, timers: Timers, reporter: Reporter, hooks: ManagedHooks) -> None:
        self._world = world
        self._hooks = hooks
        self._queues = queues
        self._timers = timers
        self._reporter = reporter
        self._signing = SigningKeys(world.cluster)
        self._credentials: dict[Key, tuple[str, GitCredentials]] = {}

    def reconcile(self, key: Key) -> None:
        error: StageError | None = None
        repository: Repository | None = None
        revision: Revision | None = None
        handled: str | None = None
        hook: tuple[WebhookStatus | None, float | None] | None = None
        try:
            repository = self._world.catalog.repository(key)
            if repository is None:
                self._forget(key)
                return
            self._timers.every(key, repository.spec.interval)
            if leaving := repository.metadata.deletion_timestamp is not None:
                given = repository
                self._hooks.release(key, given, lambda: self._read_credentials(key, given))
            seen, looked = self._look(key, repository)
            if not leaving:
                hook = self._hooks.settle(key, repository, seen.remote.credentials, looked)
            handled = repository.metadata.annotations.get(SYNC, "")
            revision = resolve(repository.spec.branch, seen.refs, repository.spec.url)
        except StageError as problem:
            error = problem
            if repository is not None and problem.reason is not Reason.REF_NOT_FOUND:
                self._lost(key, repository, problem)
        document = self._world.catalog.document(key) or {}
        generation = document.get("metadata", {}).get("generation", 0)
        before = RepositoryStatus.model_validate(document.get("status") or {})
        after = _status(before, revision, error, generation, self._world.clock.now())
        if hook is not None:
            after = after.model_copy(update={"webhook": hook[0]})
        if handled is not None:
            after = after.model_copy(update={"handled_sync": handled})
        news = [*_news(before, after), *news_of(before.webhook, after.webhook)]
        self._reporter.settle_other(key, after, error, news, hook[1] if hook else None)
        if after.handled_sync != before.handled_sync:
            self._wake(key)

    def _look(self, key: Key, repository: Repository) -> tuple[Seen, Looked]:
        """One ls-remote; when the branch has moved, a fetch here, so that no Application waits for a slow host."""
        spec = repository.spec
        signing_key = self._signing.get(key, repository)
        remote = Remote(spec.url, self._read_credentials(key, repository), spec.timeout, signing_key)
        before, began = self._world.sources.get(key), self._world.clock.monotonic()
        seen = Seen(remote, self._world.source.refs(remote))
        commit = seen.refs.get(f"refs/heads/{repository.spec.branch}")
        if commit is not None:
            self._world.source.fetch(remote, commit, seen.refs)
        if self._world.sources.put(key, seen):
            self._wake(key)
        return seen, Looked(began, before is not None and before.refs != {} and moved(before.refs, seen.refs))

    def _lost(self, key: Key, repository: Repository, error: StageError) -> None:
        """What was seen before stays good; a Secret that was refused is read again next time."""
        self._credentials.pop(key, None)
        before = self._world.sources.get(key)
        if before is None:
            before = Seen(Remote(repository.spec.url, None, repository.spec.timeout), {})
        remote = self._signing.closed(repository, before.remote)
        if self._world.sources.put(key, Seen(remote, before.refs, error)):
            self._wake(key)

    def _wake(self, key: Key) -> None:
        catalog = self._world.catalog
        applications = [application for application, _ in catalog.applications_of(key)]
        for reader in (*applications, *catalog.promotions_in(key), *catalog.feeds_of(key)):
            self._queues.add(reader)

    def _forget(self, key: Key) -> None:
        self._timers.forget(key)
        self._credentials.pop(key, None)
        self._hooks.forget(key)
        self._signing.forget(key)
        self._world.sources.forget(key)
        self._wake(key)

    def _read_credentials(self, key: Key, repository: Repository) -> GitCredentials | None:
        """From the Secret, once: it is read again when the remote refuses it or the Repository names another."""
        reference = repository.spec.credentials_ref
        if reference is None:
            return None
        known = self._credentials.get(key)
        if known is not None and known[0] == reference.name:
            return known[1]
        data = credentials_data(self._world.cluster, key.namespace, reference.name)
        credentials = credentials_of(data, reference.name, repository.spec)
        self._credentials[key] = (reference.name, credentials)
        return credentials


def credentials_of(data: dict[str, str], name: str, spec: RepositorySpec) -> GitCredentials:
    """The fields of a Secret as Flux and Kubernetes name them (kubernetes.io/basic-auth, kubernetes.io/ssh-auth); those
    of a GitHub App as Flux and Argo CD do. Raises Terminal(CREDENTIALS_NOT_FOUND, INVALID_SPEC)."""

    def text(*keys: str) -> str:
        for key in keys:
            if key in data:
                try:
                    return base64.b64decode(data[key], validate=True).decode()
                except (binascii.Error, UnicodeDecodeError):
                    raise Terminal(
                        Reason.CREDENTIALS_NOT_FOUND, f"field {key!r} of Secret {name!r} is not UTF-8 text"
                    ) from None
        return ""

    found = GitCredentials(
        username=text("username"),
        password=text("password", "token", "bearerToken"),
        ssh_key=text("ssh-privatekey", "identity"),
        known_hosts=text("known_hosts"),
        ca=text("ca.crt"),
        app=_app([text(field).strip() for field in _APP], name, spec),
    )
    if not (found.password or found.ssh_key or found.ca or found.app):
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            f"Secret {name!r} has neither password (or token) nor ssh-privatekey, nor what a GitHub App needs "
            f"({', '.join(_APP)}): add one of them",
        )
    return found


def _app(given: list[str], name: str, spec: RepositorySpec) -> GitHubApp | None:
    """The GitHub App of a Secret, None without one. It is asked where the forge's API is; without `spec.forge`, too: an
    App may be there for git alone."""
    if not any(given):
        return None
    if missing := [field for field, value in zip(_APP, given, strict=True) if not value]:
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND, f"Secret {name!r} names a GitHub App without {' and '.join(missing)}: add it"
        )
    if spec.forge is not None and spec.forge.kind != "github":
        raise Terminal(
            Reason.INVALID_SPEC,
            f"Secret {name!r} is of a GitHub App, and spec.forge.kind is {spec.forge.kind}: give it a password "
            "instead, the token of that forge",
        )
    place = place_of("github", spec.url, spec.forge.api_url if spec.forge else None)
    number, installation, key = given
    return GitHubApp(number, installation, key, place.api, place.name)


def _status(
    before: RepositoryStatus, revision: Revision | None, error: StageError | None, generation: int, now: datetime
) -> RepositoryStatus:
    stalled = isinstance(error, Terminal)
    return RepositoryStatus(
        observed_generation=generation,
        revision=str(revision) if revision is not None else before.revision,
        handled_sync=before.handled_sync,
        webhook=before.webhook,
        conditions=conditions(
            before.conditions,
            ready=error is None,
            reason=error.reason if error else Reason.SUCCEEDED,
            message=error.message if error else f"read {revision}",
            generation=generation,
            now=now,
            reconciling=error is not None and not stalled,
            stalled=stalled,
        ),
    )


def _news(before: RepositoryStatus, after: RepositoryStatus) -> list[Note]:
    old = {(c.type, c.status, c.reason) for c in before.conditions}
    return [
        Note(condition.status != "True", Reason(condition.reason), condition.message)
        for condition in after.conditions
        if condition.type == "Ready"
        and ((condition.type, condition.status, condition.reason) not in old or before.revision != after.revision)
    ]
