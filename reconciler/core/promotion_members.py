"""What the applications of an environment have in common where several go as one release: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from reconciler.core.conditions import is_ready
from reconciler.model.application import Application, ApplicationStatus


@dataclass(frozen=True, slots=True)
class Runs:
    """What one application of the environment before runs: `commit` since `at`, empty before its first one. `since` is
    when it became Ready with that, None while it is not; `digest` is of its objects."""

    application: str
    commit: str = ""
    at: datetime | None = None
    since: datetime | None = None
    digest: str = ""


def runs(application: Application) -> Runs:
    """As its status says."""
    status, applied = application.status, application.status.applied
    name, since = application.metadata.name, ready_since(status, application.metadata.generation)
    if applied is None:
        return Runs(name)
    return Runs(name, applied_commit(status), applied.at, since, applied.digest)


def applied_commit(status: ApplicationStatus) -> str:
    """The commit that an Application runs; empty before its first one."""
    return status.applied.revision.rpartition(":")[2] if status.applied is not None else ""


def ready_since(status: ApplicationStatus, generation: int) -> datetime | None:
    """Since when it is Ready with what it has applied; None while it is not."""
    if not is_ready(status.conditions, generation) or status.applied is None:
        return None
    ready = next((each.last_transition_time for each in status.conditions if each.type == "Ready"), None)
    return max(ready, status.applied.at) if ready is not None else None


def ready_together(all: Iterable[Runs]) -> datetime | None:
    """Since when all of them are Ready; None while one is not."""
    times = [each.since for each in all]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def late(all: Sequence[Runs]) -> tuple[str, ...]:
    """Which of them keep the others back: those that have deployed nothing, and where all have, those that are not
    Ready."""
    bare = tuple(each.application for each in all if not each.commit)
    return bare or tuple(each.application for each in all if each.since is None)


def commits(all: Iterable[Runs]) -> tuple[str, ...]:
    """The commits that they run, the one that was applied last first."""
    known = [(each.at, each.commit) for each in all if each.at is not None]
    return tuple(dict.fromkeys(commit for _, commit in sorted(known, reverse=True)))


def whole(digests: Sequence[str]) -> str:
    """The digest of what all of them render; that of one is its own. Empty where one is not known."""
    if len(digests) == 1 or not all(digests):
        return digests[0] if len(digests) == 1 else ""
    return sha256("\n".join(digests).encode()).hexdigest()


def undeployed(names: Sequence[str], members: Sequence[str]) -> str:
    """Why nothing goes on: `names` have deployed nothing."""
    return _kept_back(names, members, "deployed nothing yet", "has")


def unproven(names: Sequence[str], members: Sequence[str]) -> str:
    """Why nothing goes on: `names` are not Ready."""
    return _kept_back(names, members, "not Ready: nothing is proven there", "is")


def apart(all: Sequence[Runs]) -> str:
    """Why nothing goes on where they run no commit in common."""
    names = [each.application for each in all]
    if waiting := late(all):
        return unproven(waiting, names)
    found = ", ".join(f"{each.application} {each.commit[:10]}" for each in all)
    return (
        f"no commit is run by all ({found}): nothing of this release goes on until each has deployed what the others "
        f"have. {_look(names)}"
    )


def _kept_back(names: Sequence[str], members: Sequence[str], what: str, verb: str) -> str:
    if len(members) == 1:
        return f"{members[0]} {verb} {what}"
    names = names or members
    several = {"has": "have", "is": "are"}[verb] if len(names) > 1 else verb
    return f"{', '.join(names)} {several} {what}. Nothing of {', '.join(members)} goes on before that. {_look(names)}"


def _look(names: Sequence[str]) -> str:
    where = f" {names[0]}" if len(names) == 1 else ""
    return f"`dispatch get applications{where} -o wide` says why"
