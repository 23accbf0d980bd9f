"""An Argo Rollout as Dispatch sees it, and what a strategy decides about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.model.identity import ObjectId

CANDIDATE = "dispatch.dev/candidate"
"""Annotation on the object that holds the pod template: `<digest of the template>.<commit that brought it>`."""


class Phase(StrEnum):
    """`status.phase` of a Rollout; UNKNOWN for none and for one that a newer controller may know."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


class AnalysisKind(StrEnum):
    """The label `rollout-type` of an AnalysisRun."""

    STEP = "Step"
    BACKGROUND = "Background"
    PRE_PROMOTION = "PrePromotion"
    POST_PROMOTION = "PostPromotion"


@dataclass(frozen=True, slots=True)
class AnalysisSeen:
    """The AnalysisRun that the Rollout's status names. `terminated`: somebody ended it (`spec.terminate`), which Argo
    Rollouts counts as a success (analysis.go) and Dispatch does not.
    """

    kind: AnalysisKind
    name: str
    status: str
    message: str = ""
    terminated: bool = False


@dataclass(frozen=True, slots=True)
class RolloutSeen:
    """One Rollout, read once. Every field is from the object itself; nothing is remembered between two looks.

    `observed` is False while the controller has not seen the newest spec (GetRolloutPhase's first three checks): then
    nothing else of the status may be trusted. `strategy` is `canary`, `blueGreen` or empty. `step` counts from 0 and is
    None where there are no steps; it equals `steps` once all are done. `pause` is the reason of the first pause
    condition (`CanaryPauseStep`, `BlueGreenPause`, `InconclusiveAnalysisRun`, ...), `timed` that the current step ends
    it by itself. `stuck_since` is since when ProgressDeadlineExceeded holds, `moved` the latest time in the status.
    `revision` is the controller's number of the version, 0 for none: it calls the first one stable at once, so that
    number alone tells that all steps and analyses were skipped.
    """

    id: ObjectId
    uid: str
    strategy: str
    observed: bool
    phase: Phase
    message: str
    pod_hash: str
    stable_hash: str
    step: int | None = None
    steps: int = 0
    pause: str = ""
    pause_since: datetime | None = None
    timed: bool = False
    controller_pause: bool = False
    spec_paused: bool = False
    aborted: bool = False
    promote_full: bool = False
    invalid: bool = False
    stuck_since: datetime | None = None
    moved: datetime | None = None
    analyses: tuple[AnalysisSeen, ...] = ()
    replicas: int = 0
    updated: int = 0
    available: int = 0
    weight: int | None = None
    workload: ObjectId | None = None
    workload_seen: int | None = None
    candidate: str = ""
    revision: int = 0

    @property
    def first(self) -> bool:
        """Nothing was ever promoted: the controller skips all steps and analyses."""
        return not self.stable_hash

    @property
    def promoted(self) -> bool:
        """The newest version is the stable one. Not yet a proof that it is Healthy."""
        return bool(self.stable_hash) and self.stable_hash == self.pod_hash

    @property
    def in_flight(self) -> bool:
        """A version is being walked out: neither promoted nor aborted. An unobserved spec counts as one."""
        return not self.aborted and not (self.observed and self.promoted)


class Verb(StrEnum):
    """What is to be done about a Rollout now."""

    WAIT = "wait"
    """Nothing: it moves by itself, or the controller has not looked yet."""
    HOLD = "hold"
    """Nothing: a person must act."""
    RELEASE = "release"
    """End exactly this pause of exactly this version."""
    PROMOTE_FULL = "promote full"
    """Skip what is left of the steps."""
    ABORT = "abort"
    """Send all traffic back to the stable version."""
    RETRY = "retry"
    """Take the abort back: the version starts again at its first step."""
    FAILED = "failed"
    """The version was aborted: `onFailure` says what happens in Git."""
    PROMOTED = "promoted"
    """The version is the stable one, and Healthy."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one version (`pod_hash`) at one step. `again` is in how many seconds to look without being
    woken. `because_of` are the names of the RolloutActions that it carries out. `held` is why the version may not go on
    by Dispatch now, whoever asks, and until when; empty where it may, and where there is nowhere to go on to.
    """

    verb: Verb
    why: str
    pod_hash: str = ""
    step: int | None = None
    again: float | None = None
    because_of: tuple[str, ...] = ()
    held: str = ""

    @property
    def told(self) -> str:
        """Why, and what holds it, for people."""
        return f"{self.why}; Dispatch lets nothing go on: {self.held}" if self.held else self.why


class Wish(StrEnum):
    """What a person asks of a rollout (`RolloutAction.spec.action`)."""

    PROMOTE = "Promote"
    PROMOTE_FULL = "PromoteFull"
    ABORT = "Abort"
    RETRY = "Retry"


@dataclass(frozen=True, slots=True)
class Asked:
    """One RolloutAction that has not been carried out: bound to the Rollout (`uid`), the version and, for Promote, to
    the step at which it was given (None: a pause without steps, as blue/green has).
    """

    name: str
    wish: Wish
    uid: str
    pod_hash: str
    step: int | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """The patience of a strategy, in seconds: how long a fault must last before it counts (`settle`), how long an
    inconclusive analysis waits for a person, and after how long without a sign the controller is called silent.
    `closed` is why nothing goes forward at this time, and until when; empty when it may.
    """

    settle: float = 10.0
    inconclusive: float = 1800.0
    silent: float = 30.0
    closed: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentSeen:
    """One Deployment. `replicas` is what its spec asks for, `available` counts pods of the newest template only while
    `observed` and `updated == available`; `candidate` is its CANDIDATE annotation, `moved` when its spec was written.
    """

    id: ObjectId
    observed: bool
    replicas: int
    updated: int
    available: int
    candidate: str = ""
    generation: int = 0
    moved: datetime | None = None


class Verdict(StrEnum):
    """The answer of a gate to Argo Rollouts; WAIT is what it makes of anything else, too."""

    PASS = "pass"  # noqa: S105 (no password: a verdict)
    WAIT = "wait"
    FAIL = "fail"
