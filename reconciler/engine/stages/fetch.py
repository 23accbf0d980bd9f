"""Stage 1: which commit the Application wants, made readable."""

from __future__ import annotations

from reconciler.core.refs import resolve
from reconciler.engine.keys import Key
from reconciler.engine.sources import Seen
from reconciler.engine.world import World
from reconciler.model.application import Application, SyncMode
from reconciler.model.outcome import Blocked, Reason
from reconciler.model.repository import Repository
from reconciler.model.revision import Revision
from reconciler.ports import Tree

SYNC = "dispatch.dev/sync"
"""Annotation: any new value asks for one sync now."""
SYNC_REVISION = "dispatch.dev/sync-revision"
"""Annotation: the revision of a Manual application, instead of the one its spec names."""

_WAIT = 60.0
"""The Repository's own reconcile wakes the Application; this is the floor under it, in seconds."""


def repository_of(application: Application) -> Key:
    """The Repository that the Application reads."""
    return Key("Repository", application.metadata.namespace, application.spec.source.repository)


def fetch(world: World, application: Application) -> tuple[Revision, Tree]:
    """Raises Blocked while the Repository has not been read, Terminal when it has no such revision."""
    key = repository_of(application)
    name = key.name
    repository = world.catalog.repository(key)
    if repository is None:
        raise Blocked(
            Reason.REPOSITORY_NOT_FOUND,
            f"there is no Repository {name!r} in namespace {key.namespace!r}: create it or mend spec.source.repository",
            _WAIT,
        )
    seen = world.sources.get(key)
    if seen is None or not seen.refs:
        why = seen.trouble.message if seen is not None and seen.trouble is not None else "it has not been read yet"
        reason = seen.trouble.reason if seen is not None and seen.trouble is not None else Reason.PROGRESSING
        raise Blocked(reason, f"waiting for Repository {name!r}: {why}", _WAIT)
    _require_fresh(application, repository, seen)
    revision = resolve(wanted_ref(application, repository.spec.branch), seen.refs, repository.spec.url)
    world.source.fetch(seen.remote, revision.commit, seen.refs)
    return revision, world.source.tree(seen.remote, revision.commit)


def _require_fresh(application: Application, repository: Repository, seen: Seen) -> None:
    """A sync by hand means what the remote holds now: raises Blocked until it was read after the wish."""
    asked = application.metadata.annotations.get(SYNC, "")
    open_wish = asked != application.status.handled_sync and asked == repository.metadata.annotations.get(SYNC)
    if not open_wish or repository.status.handled_sync == asked:
        return
    name = repository.metadata.name
    if seen.trouble is not None:
        raise Blocked(seen.trouble.reason, f"the sync waits for Repository {name!r}: {seen.trouble.message}", _WAIT)
    raise Blocked(Reason.PROGRESSING, f"the sync waits until Repository {name!r} was read", _WAIT)


def subject(world: World, application: Application, revision: Revision) -> str:
    """Author and first line of a fetched commit, for the history."""
    seen = world.sources.get(repository_of(application))
    return world.source.subject(seen.remote, revision.commit) if seen is not None else ""


def wanted_ref(application: Application, branch: str) -> str:
    """A Manual application stays at the revision that was last asked for by hand."""
    asked = application.metadata.annotations.get(SYNC_REVISION)
    if asked and application.spec.sync.mode is SyncMode.MANUAL:
        return asked
    return application.spec.source.revision or branch
