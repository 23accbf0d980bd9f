"""The status of an Application: what was last seen and done, written by Dispatch alone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from reconciler.model.health import Level
from reconciler.model.resource import Conditions, Record


class SyncState(StrEnum):
    """Whether the cluster holds what Git wants, in Argo CD's words."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    UNKNOWN = "Unknown"


class AppliedRevision(Record):
    """One revision, and the digest of what it rendered."""

    revision: Annotated[str, Field(description="What was asked for and the commit: `main@sha1:0123...`.")]
    digest: Annotated[str, Field(description="SHA-256 of the objects that it rendered, in hex.")] = ""
    at: Annotated[datetime, Field(description="When this digest was first seen.")]


class HistoryEntry(Record):
    """One run that changed something or failed, the newest first. Repeats of a failure are counted, not listed."""

    revision: Annotated[str, Field(description="What was asked for and the commit.")]
    digest: Annotated[str, Field(description="SHA-256 of the objects that it rendered, in hex.")] = ""
    at: Annotated[datetime, Field(description="When the run ended.")]
    result: Annotated[str, Field(description="Applied, Corrected or Failed.")]
    message: Annotated[str, Field(description="The author and first line of the commit, or why the run failed.")] = ""
    created: Annotated[int, Field(description="How many objects the run created.")] = 0
    changed: Annotated[int, Field(description="How many objects the run changed.")] = 0
    pruned: Annotated[int, Field(description="How many objects the run deleted.")] = 0
    seconds: Annotated[float, Field(description="How long the run worked.")] = 0.0
    count: Annotated[int, Field(description="How often the same failure came in a row.")] = 1


class DriftEntry(Record):
    """One field of one object that is not as Git wants it. Values of Secrets are masked."""

    object: Annotated[str, Field(description="`Deployment.apps/staging/web`.")]
    field: Annotated[str, Field(description="A JSON pointer; empty when the whole object is missing.")] = ""
    drift: Annotated[str, Field(description="changed, missing, extra or taken over.")]
    wanted: Annotated[str, Field(description="The value in Git.")] = ""
    live: Annotated[str, Field(description="The value in the cluster.")] = ""
    manager: Annotated[str, Field(description="Who wrote it, as `metadata.managedFields` says.")] = ""
    operation: Annotated[str, Field(description="Apply or Update.")] = ""
    at: Annotated[datetime | None, Field(description="When it was written.")] = None
    seen: Annotated[datetime, Field(description="When Dispatch first saw it.")]
    corrected: Annotated[datetime | None, Field(description="When Dispatch put Git's value back.")] = None


class ObjectHealth(Record):
    """One object that is not Healthy."""

    object: Annotated[str, Field(description="`Deployment.apps/staging/web`.")]
    level: Annotated[Level, Field(description="How it is.")]
    message: Annotated[str, Field(description="Why.")] = ""


class RolloutState(Record):
    """One Rollout of the Application, as Dispatch last saw it and decided about it."""

    object: Annotated[str, Field(description="`Rollout.argoproj.io/staging/web`.")]
    revision: Annotated[str, Field(description="The commit whose version is walked out, or runs.")] = ""
    template: Annotated[str, Field(description="The digest of its pod template.")] = ""
    pod_hash: Annotated[str, Field(description="The hash of its pods.")] = ""
    phase: Annotated[str, Field(description="Argo Rollouts' own word.")] = ""
    step: Annotated[int | None, Field(description="How many steps are done.")] = None
    steps: Annotated[int, Field(description="How many there are.")] = 0
    decision: Annotated[str, Field(description="What Dispatch does about it: wait, hold, release, abort, ...")] = ""
    message: Annotated[str, Field(description="Why.")] = ""


class QueuedRevision(Record):
    """A revision that Git has and that is not taken up yet."""

    revision: Annotated[str, Field(description="The revision that waits.")]
    running: Annotated[str, Field(description="The commit that is applied instead.")] = ""
    reason: Annotated[str, Field(description="Why, in one word for scripts.")]
    message: Annotated[str, Field(description="Why, and what to do.")] = ""


class VetoEntry(Record):
    """A version that was aborted: nothing starts it again until the veto is lifted (`dispatch rollout retry`)."""

    template: Annotated[str, Field(description="The digest of its pod template.")]
    images: Annotated[tuple[str, ...], Field(description="The images that it ran.")] = ()
    revision: Annotated[str, Field(description="The commit that brought it.")] = ""
    why: Annotated[str, Field(description="Why it was aborted.")] = ""
    by: Annotated[str, Field(description="Who aborted it; empty when an analysis did.")] = ""
    at: Annotated[datetime, Field(description="When.")]


class PromotedRevision(Record):
    """The last version that went all the way."""

    revision: Annotated[str, Field(description="The commit that brought it.")]
    templates: Annotated[
        dict[str, str], Field(description="The digest of the pod template of each workload, by its name.")
    ] = {}
    at: Annotated[datetime, Field(description="When it was promoted.")]
    earlier: Annotated[
        tuple[str, ...],
        Field(description="What was promoted before (`workload=template`), the oldest first; at most 10 a workload."),
    ] = ()


class RevertState(Record):
    """What happened in Git after an abort."""

    template: Annotated[str, Field(description="The digest of the pod template that was aborted.")]
    commit: Annotated[str, Field(description="The commit that undoes it.")] = ""
    pull_request: Annotated[str, Field(description="Its pull request, where a forge is set.")] = ""
    state: Annotated[str, Field(description="Pushed, Open, Merged or Failed.")] = ""
    message: Annotated[str, Field(description="Why it failed, or what it waits for.")] = ""


class ApplicationStatus(Record):
    """What was last seen and done."""

    observed_generation: Annotated[int, Field(description="The generation of the spec that this is about.")] = 0
    conditions: Conditions = ()
    sync: SyncState = SyncState.UNKNOWN
    health: Annotated[Level, Field(description="The worst of its objects, in Argo CD's words.")] = Level.UNKNOWN
    objects: Annotated[int, Field(description="How many objects belong to the Application.")] = 0
    attempted: Annotated[AppliedRevision | None, Field(description="The last revision that was rendered.")] = None
    applied: Annotated[AppliedRevision | None, Field(description="The last revision that was applied whole.")] = None
    tool: Annotated[str, Field(description="What rendered it, with its version.")] = ""
    unhealthy: Annotated[tuple[ObjectHealth, ...], Field(description="Objects that are not Healthy, at most 10.")] = ()
    drift: Annotated[
        tuple[DriftEntry, ...], Field(description="What differs, then what was put back lately; at most 20.")
    ] = ()
    hooks_not_run: Annotated[tuple[str, ...], Field(description="Helm hooks of the chart: named, not run.")] = ()
    rollouts: Annotated[tuple[RolloutState, ...], Field(description="Its Rollouts, when it has some.")] = ()
    queued: Annotated[QueuedRevision | None, Field(description="The revision that waits for its turn.")] = None
    promoted: Annotated[PromotedRevision | None, Field(description="The last version that went all the way.")] = None
    vetoes: Annotated[tuple[VetoEntry, ...], Field(description="Versions that may not come back; at most 20.")] = ()
    revert: Annotated[RevertState | None, Field(description="What happened in Git after the last abort.")] = None
    history: Annotated[tuple[HistoryEntry, ...], Field(description="The last runs, the newest first.")] = ()
    handled_sync: Annotated[str, Field(description="The last request of `dispatch sync` that was carried out.")] = ""
