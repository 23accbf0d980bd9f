"""What is worth telling people of an Application: its status before and after one run, and what differs for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.standing import aborted, commit_of, ready_of, short, spoken_of, standing, unwell
from reconciler.model.application_status import ApplicationStatus, DriftEntry
from reconciler.model.notice import Candidate, Notice, NoticeEvent, Subject

_NAMED = 10
_TAKEN_BACK = frozenset((NoticeEvent.ABORTED, NoticeEvent.REVERTED))


@dataclass(frozen=True, slots=True)
class Told:
    """A notice and whether it is news: what is not only brings a message that is there up to date."""

    notice: Notice
    news: bool


@dataclass(frozen=True, slots=True)
class Last:
    """What is remembered of an Application between two runs: the commit that was Ready last (empty when nobody
    knows), and whether it has been unwell since."""

    settled: str = ""
    ailing: bool = False

    def then(self, status: ApplicationStatus) -> Last:
        """What is remembered once this status was seen. Neither Ready nor unwell: it is on its way."""
        if settled := settled_at(status):
            return Last(settled)
        return Last(self.settled, self.ailing or unwell(status))


def notices(
    about: Subject, before: ApplicationStatus, after: ApplicationStatus, last: Last, target: str = ""
) -> list[Told]:
    """Each revision of which the status speaks stands somewhere (`standing`); where that has changed, its message does.

    `target` is the commit that the run was about, empty when it did not come so far: then it is about what is there.
    """
    last = last.then(before)
    if not target and after.attempted is not None:
        target = commit_of(after.attempted.revision)
    found = []
    for commit in dict.fromkeys([*spoken_of(after), target]):
        old = standing(about, before, commit, target, last.settled)
        new = standing(about, after, commit, target, last.settled)
        if new is None or new == old:
            continue
        news = old is None or (old.event, old.title) != (new.event, new.title)
        if commit == settled_at(after) and (commit == last.settled or (last.ailing and not last.settled)):
            # It had been deployed: now it is well again, or only its pods have come and gone.
            news = last.ailing
            if news:
                new = replace(new, event=NoticeEvent.RECOVERED, title=f"{about} {short(commit)} is well again")
        elif old is None and new.event is NoticeEvent.CANARY_STEP:
            # Its first step begins a deployment, which is heard of without each step.
            new = replace(new, event=NoticeEvent.DEPLOYED)
        if new.event is NoticeEvent.REVERTED and (old is None or old.event not in _TAKEN_BACK):
            # Undone in the run that saw the abort: who hears of aborts only must hear of it.
            found.append(Told(aborted(about, commit, new.lines), True))
        found.append(Told(new, news))
    return found + [Told(each, True) for each in _drift(about, before, after)]


def settled_at(status: ApplicationStatus) -> str:
    """The commit that is Ready; empty when none is."""
    ready = ready_of(status)
    if ready is None or ready.status != "True" or status.attempted is None:
        return ""
    return commit_of(status.attempted.revision)


def candidate_ready(candidate: Candidate) -> Notice:
    """For whoever must let it go on: what changed, by whom, which images, what is still open, and who may approve."""
    lines = [
        *candidate.changes,
        *(f"image {image}" for image in candidate.images),
        *(f"open gate: {gate}" for gate in candidate.open_gates),
    ]
    if candidate.approvers:
        lines.append(f"may be approved by {', '.join(candidate.approvers)}")
    return Notice(
        NoticeEvent.CANDIDATE_READY,
        candidate.about,
        candidate.commit,
        f"{candidate.about} {short(candidate.commit)} is ready for {candidate.environment}",
        tuple(lines),
        candidate.link,
        topic=f"for {candidate.environment}",
    )


def _drift(about: Subject, before: ApplicationStatus, after: ApplicationStatus) -> list[Notice]:
    """What is there and stays, and what was put back; one that is mended as soon as it is seen is told as mended."""
    commit = commit_of(after.attempted.revision) if after.attempted is not None else ""
    known = {_same(entry) for entry in before.drift}
    fresh = [entry for entry in after.drift if _same(entry) not in known]
    found = [entry for entry in fresh if entry.corrected is None]
    mended = [entry for entry in fresh if entry.corrected is not None]
    told = []
    for event, entries, words in (
        (NoticeEvent.DRIFT_FOUND, found, "has drifted from Git"),
        (NoticeEvent.DRIFT_MENDED, mended, "had drifted, and is as Git says again"),
    ):
        if entries:
            day = max(_when(entry) for entry in entries)
            lines = drift_lines(entries)
            topic = f"drift {day:%Y-%m-%d}"
            told.append(Notice(event, about, commit, f"{about} {short(commit)} {words}", lines, topic=topic))
    return told


def drift_lines(entries: Sequence[DriftEntry]) -> tuple[str, ...]:
    """Which field of which object, and who wrote it. Never its value: that is for those who may read the object."""
    lines = [_line(entry) for entry in entries[:_NAMED]]
    left = len(entries) - _NAMED
    return (*lines, f"and {left} more: dispatch drift names them all") if left > 0 else tuple(lines)


def _line(entry: DriftEntry) -> str:
    by = f" by {entry.manager}" if entry.manager else ""
    if not entry.field:
        return f"{entry.object} was {'deleted' if entry.drift == 'missing' else entry.drift}{by}"
    return f"{entry.field} of {entry.object} is {entry.drift}{by}"


def _same(entry: DriftEntry) -> tuple[object, ...]:
    return entry.object, entry.field, entry.live, entry.seen, entry.corrected


def _when(entry: DriftEntry) -> datetime:
    return entry.corrected or entry.seen
