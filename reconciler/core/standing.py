"""How one revision of an Application stands, for people: what its message says. A function of the status alone, so
that a restart finds the same words."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.application_status import ApplicationStatus, RolloutState
from reconciler.model.notice import Notice, NoticeEvent, Subject
from reconciler.model.outcome import Reason
from reconciler.model.resource import Condition, ConditionType
from reconciler.model.rollout import Phase, Verb

_SHORT = 7
_MOVING = frozenset(verb.value for verb in (Verb.WAIT, Verb.HOLD, Verb.RELEASE, Verb.PROMOTE_FULL, Verb.RETRY))
_BACK = frozenset((Verb.FAILED.value, Verb.ABORT.value))
_UNWELL = frozenset((Reason.DEGRADED.value, Reason.TIMEOUT.value))


def commit_of(revision: str) -> str:
    """`main@sha1:0123...` -> `0123...`; a commit stays as it is."""
    return revision.rpartition(":")[2]


def short(commit: str) -> str:
    return commit[:_SHORT]


def standing(
    about: Subject, status: ApplicationStatus, commit: str, target: str = "", settled: str = ""
) -> Notice | None:
    """What the message of this commit says now; None where the status says nothing (new) about it.

    `target` is the commit that was tried, of which a status that failed does not tell; `settled` the commit that was
    Ready before: its pods may come and go without being deployed again.
    """
    if not commit:
        return None
    return (
        _taken_back(about, status, commit)
        or _waiting(about, status, commit)
        or _moving(about, status, commit)
        or _failed(about, status, commit, target, settled)
        or _deployed(about, status, commit, settled)
    )


def spoken_of(status: ApplicationStatus) -> list[str]:
    """The commits of which a status speaks now, the oldest news first. An old veto is none of them."""
    undone = status.revert.template if status.revert is not None else ""
    spoken = [
        *(veto.revision for veto in status.vetoes if undone and veto.template == undone),
        *(each.revision for each in status.rollouts),
        status.attempted.revision if status.attempted is not None else "",
        status.queued.revision if status.queued is not None else "",
    ]
    return list(dict.fromkeys(commit for commit in map(commit_of, spoken) if commit))


def ready_of(status: ApplicationStatus) -> Condition | None:
    return next((each for each in status.conditions if each.type is ConditionType.READY), None)


def stalled(status: ApplicationStatus) -> bool:
    return any(each.type is ConditionType.STALLED and each.status == "True" for each in status.conditions)


def unwell(status: ApplicationStatus) -> bool:
    """People were told that something is wrong: not a passing failure that is tried again."""
    ready = ready_of(status)
    return ready is not None and ready.status == "False" and (stalled(status) or ready.reason in _UNWELL)


def _taken_back(about: Subject, status: ApplicationStatus, commit: str) -> Notice | None:
    vetoes = [veto for veto in status.vetoes if commit_of(veto.revision) == commit]
    gone = [each for each in status.rollouts if each.revision == commit and each.decision in _BACK]
    if not (vetoes or gone):
        return None
    lines = [veto.why + (f" (by {veto.by})" if veto.by and veto.by not in veto.why else "") for veto in vetoes]
    lines = lines or [f"{_name(each)}: {each.message}" for each in gone]
    revert = status.revert
    templates = {veto.template for veto in vetoes} | {each.template for each in gone}
    if revert is not None and revert.template in templates:
        # The message of a revert mostly names its pull request already.
        lines += filter(None, (revert.message, "" if revert.pull_request in revert.message else revert.pull_request))
        if revert.state in ("Pushed", "Merged"):
            return _notice(NoticeEvent.REVERTED, about, commit, "reverted: Git is back at the good version", lines)
    return aborted(about, commit, lines)


def aborted(about: Subject, commit: str, lines: Iterable[str]) -> Notice:
    return _notice(NoticeEvent.ABORTED, about, commit, "aborted: users have the version before", lines)


def _waiting(about: Subject, status: ApplicationStatus, commit: str) -> Notice | None:
    queued = status.queued
    if queued is None or commit_of(queued.revision) != commit:
        return None
    return _notice(NoticeEvent.REVISION_QUEUED, about, commit, "waits, and is not deployed yet", [queued.message])


def _moving(about: Subject, status: ApplicationStatus, commit: str) -> Notice | None:
    moving = [each for each in status.rollouts if each.revision == commit and each.decision in _MOVING]
    if not moving:
        return None
    lines = [f"{_name(each)}: {each.message}" for each in moving]
    if any(_broken(each) for each in moving):
        return _notice(NoticeEvent.DEGRADED, about, commit, "cannot go on: Git must mend it", lines)
    first = next((each for each in moving if _wants_approval(about, each)), moving[0])
    at = (
        f" at step {min(first.step + 1, first.steps)} of {first.steps}"
        if first.step is not None and first.steps
        else ""
    )
    if _wants_approval(about, first):
        lines += [f"`dispatch rollout {verb} {about.name} -n {about.namespace}`" for verb in ("promote", "abort")]
        return _notice(NoticeEvent.APPROVAL_WANTED, about, commit, f"somebody must decide{at}", lines)
    return _notice(NoticeEvent.CANARY_STEP, about, commit, f"is walked out{at}", lines, under_way=True)


def _broken(rollout: RolloutState) -> bool:
    """It stands, and no approval helps: a spec that Argo Rollouts refuses, a first version that never gets ready."""
    return rollout.decision == Verb.HOLD.value and rollout.phase == Phase.DEGRADED.value


def _wants_approval(about: Subject, rollout: RolloutState) -> bool:
    """A hold is for a person; a gate with an approval looks like a step under way."""
    return rollout.decision == Verb.HOLD.value or (
        rollout.decision == Verb.WAIT.value and rollout.step is not None and rollout.step in about.approvals
    )


def _failed(about: Subject, status: ApplicationStatus, commit: str, target: str, settled: str) -> Notice | None:
    ready = ready_of(status)
    if ready is None or not stalled(status) or commit != target:
        return None
    words = "is deployed, and cannot be kept up to date" if commit == settled else "cannot be deployed"
    return _notice(NoticeEvent.FAILED, about, commit, f"{words} ({ready.reason})", [ready.message])


def _deployed(about: Subject, status: ApplicationStatus, commit: str, settled: str) -> Notice | None:
    ready = ready_of(status)
    if ready is None or status.attempted is None or commit_of(status.attempted.revision) != commit:
        return None
    if ready.reason == Reason.OUT_OF_SYNC.value:
        return _notice(NoticeEvent.REVISION_QUEUED, about, commit, "waits for dispatch sync", [ready.message])
    if ready.status == "True":
        promoted = any(each.revision == commit for each in status.rollouts)
        return _notice(
            NoticeEvent.DEPLOYED, about, commit, "promoted" if promoted else "deployed", _done(status, commit)
        )
    if ready.reason in _UNWELL:
        lines = [f"{each.object}: {each.message or each.level}" for each in status.unhealthy] or [ready.message]
        return _notice(NoticeEvent.DEGRADED, about, commit, f"is not healthy ({ready.reason})", lines)
    if stalled(status) or commit == settled or ready.status == "False":
        return None
    return _notice(NoticeEvent.DEPLOYED, about, commit, "is being deployed", [], under_way=True)


def _done(status: ApplicationStatus, commit: str) -> list[str]:
    """The author and the first line of the commit, and how much it changed."""
    for entry in status.history:
        if commit_of(entry.revision) == commit and entry.result == "Applied":
            counts = (("created", entry.created), ("changed", entry.changed), ("deleted", entry.pruned))
            told = ", ".join(f"{count} {word}" for word, count in counts if count)
            return [*filter(None, (entry.message, told))]
    return []


def _name(rollout: RolloutState) -> str:
    return rollout.object.rpartition("/")[2]


def _notice(
    event: NoticeEvent, about: Subject, commit: str, words: str, lines: Iterable[str], under_way: bool = False
) -> Notice:
    """Lines that come twice, from two Rollouts or from a veto and its cause, are said once."""
    said = tuple(dict.fromkeys(line for line in lines if line))
    return Notice(event, about, commit, f"{about} {short(commit)} {words}", said, under_way=under_way)
