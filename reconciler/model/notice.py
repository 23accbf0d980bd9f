"""What people are told: one piece of news about one revision of an Application, before anybody says it anywhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class NoticeEvent(StrEnum):
    """What has happened, as a Notifier chooses it."""

    DEPLOYED = "Deployed"
    DEGRADED = "Degraded"
    DRIFT_FOUND = "DriftFound"
    DRIFT_MENDED = "DriftMended"
    CANARY_STEP = "CanaryStep"
    ABORTED = "Aborted"
    APPROVAL_WANTED = "ApprovalWanted"
    REVERTED = "Reverted"
    REVISION_QUEUED = "RevisionQueued"
    FAILED = "Failed"
    RECOVERED = "Recovered"
    DRIFT_REPORT = "DriftReport"
    CANDIDATE_READY = "CandidateReady"
    UNREVIEWED_CHANGE = "UnreviewedChange"
    FREEZE_BLOCKS = "FreezeBlocks"


class Severity(StrEnum):
    """`info` is good to know, `warning` wants somebody to act, `critical` concerns users now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    def at_least(self, other: Severity) -> bool:
        order = list(Severity)
        return order.index(self) >= order.index(other)


SEVERITIES = {
    NoticeEvent.DEPLOYED: Severity.INFO,
    NoticeEvent.DEGRADED: Severity.CRITICAL,
    NoticeEvent.DRIFT_FOUND: Severity.WARNING,
    NoticeEvent.DRIFT_MENDED: Severity.INFO,
    NoticeEvent.CANARY_STEP: Severity.INFO,
    NoticeEvent.ABORTED: Severity.CRITICAL,
    NoticeEvent.APPROVAL_WANTED: Severity.WARNING,
    NoticeEvent.REVERTED: Severity.WARNING,
    NoticeEvent.REVISION_QUEUED: Severity.INFO,
    NoticeEvent.FAILED: Severity.WARNING,
    NoticeEvent.RECOVERED: Severity.INFO,
    NoticeEvent.DRIFT_REPORT: Severity.INFO,
    NoticeEvent.CANDIDATE_READY: Severity.WARNING,
    NoticeEvent.UNREVIEWED_CHANGE: Severity.CRITICAL,
    NoticeEvent.FREEZE_BLOCKS: Severity.INFO,
}
"""How much each event weighs, for Notifiers that hear of some severity only."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a notice is about. `approvals` are the steps of its canary (from 0) whose gate wants an approval."""

    namespace: str
    name: str
    project: str = ""
    approvals: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.name else self.namespace


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news, in plain text: who sends it escapes and cuts it.

    `commit` is whole, or empty for a report. `title` is one line that stands alone, `lines` are the detail, the most
    important first. `topic` tells messages about the same commit apart: the way of a revision has none. `under_way`: it
    will say something else soon, by itself. `beside` are the other Applications of a release, which are told once.
    """

    event: NoticeEvent
    about: Subject
    commit: str
    title: str
    lines: tuple[str, ...] = ()
    link: str = ""
    topic: str = ""
    under_way: bool = False
    beside: tuple[Subject, ...] = ()

    @property
    def severity(self) -> Severity:
        return SEVERITIES[self.event]

    @property
    def key(self) -> str:
        """Notices of one key are one message: that of an Application and a revision, and of a topic, if it has one."""
        return "@".join(filter(None, (str(self.about), self.commit, self.topic)))

    @property
    def digest(self) -> str:
        """The same for notices that say the same."""
        said = "\0".join((self.event, self.title, *self.lines, self.link))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that could go to the next environment: the values of `CandidateReady`, which a promotion fills in.

    `changes` are `author: first line` of each commit since the last promotion, `images` are `name:tag@sha256:...`,
    `open_gates` say what each still waits for, `approvers` who may approve, `link` is the pull request.
    """

    about: Subject
    environment: str
    commit: str
    changes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    open_gates: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    link: str = ""
