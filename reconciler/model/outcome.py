"""How a stage that could not give its value ends: three ways, each with a reason and a sentence for the user.

A stage returns a value or raises one of these. The wrapper around all stages turns it into the status, the log
line, the event and the next wait; the stages do none of that (after Flux's kustomize-controller, whose three outcomes
these are).
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The `reason` of a condition or an event: CamelCase, stable, made to be matched by scripts."""

    # Ready or on the way
    SUCCEEDED = "ReconciliationSucceeded"
    PROGRESSING = "Progressing"
    WAITING = "WaitingForHealth"
    OUT_OF_SYNC = "OutOfSync"
    DRIFT_DETECTED = "DriftDetected"
    DRIFT_CORRECTED = "DriftCorrected"
    DRIFT_FIGHT = "DriftFight"
    PRUNED = "Pruned"
    SUPERSEDED = "Superseded"
    # the source
    SOURCE_UNREACHABLE = "SourceUnreachable"
    SOURCE_DENIED = "SourceAuthenticationFailed"
    REF_NOT_FOUND = "RefNotFound"
    PATH_NOT_FOUND = "PathNotFound"
    REPOSITORY_NOT_FOUND = "RepositoryNotFound"
    CREDENTIALS_NOT_FOUND = "CredentialsNotFound"
    # the render
    RENDER_FAILED = "RenderFailed"
    RENDER_EMPTY = "RenderEmpty"
    RENDER_LIMIT = "RenderLimitExceeded"
    TOOL_MISSING = "ToolMissing"
    INVALID_MANIFEST = "InvalidManifest"
    DUPLICATE_OBJECT = "DuplicateObject"
    # the plan and the apply
    INVALID_SPEC = "InvalidSpec"
    OBJECT_REFUSED = "ObjectRefused"
    UNKNOWN_KIND = "UnknownKind"
    NAMESPACE_MISSING = "NamespaceMissing"
    OWNED_BY_ANOTHER = "OwnedByAnotherApplication"
    IMMUTABLE_FIELD = "ImmutableField"
    PRUNE_LIMIT = "PruneLimitExceeded"
    FORBIDDEN = "Forbidden"
    DEPENDENCY_NOT_READY = "DependencyNotReady"
    # the cluster
    CLUSTER_UNREACHABLE = "ClusterUnreachable"
    CLUSTER_BUSY = "ClusterBusy"
    CONFLICT = "Conflict"
    # the wait for health
    DEGRADED = "Degraded"
    TIMEOUT = "HealthCheckTimeout"
    # versions on their way out
    ROLLING_OUT = "RollingOut"
    ROLLOUT_PAUSED = "RolloutPaused"
    ROLLOUT_ABORTED = "RolloutAborted"
    ROLLOUT_ACTION = "RolloutAction"
    PROMOTED = "Promoted"
    STEPS_SKIPPED = "StepsSkipped"
    REVISION_QUEUED = "RevisionQueued"
    REVISION_BLOCKED = "RevisionBlocked"
    VETOED = "Vetoed"
    REVERTED = "Reverted"
    REVERT_FAILED = "RevertFailed"
    REBUILDING = "RebuildingFromLastPromoted"
    # the forge
    FORGE_UNREACHABLE = "ForgeUnreachable"
    FORGE_DENIED = "ForgeDenied"
    MERGE_BLOCKED = "MergeBlocked"
    WEBHOOK_READY = "WebhookReady"
    WEBHOOK_FAILED = "WebhookFailed"
    WEBHOOK_MISSED = "WebhookEventMissed"
    # the registry, and what is fed from it
    REGISTRY_UNREACHABLE = "RegistryUnreachable"
    REGISTRY_DENIED = "RegistryDenied"
    REGISTRY_STRANGE = "RegistryAnswerInvalid"
    IMAGE_NOT_FOUND = "ImageNotFound"
    IMAGE_SELECTED = "ImageSelected"
    IMAGE_HELD = "ImageHeld"
    IMAGE_WRITTEN = "ImageWritten"
    IMAGE_NOT_WRITTEN = "ImageNotWritten"
    # people
    NOTICE_UNREACHABLE = "NoticeUnreachable"
    NOTICE_REFUSED = "NoticeRefused"
    NOTICE_UNFIT = "NoticeUnfit"
    # ours
    INTERNAL = "InternalError"


class StageError(Exception):
    """`reason` is for scripts; `message` is one or more lines for the person who must act: what, where, why, way out.

    The message never holds a secret: who raises it has masked it.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Transient(StageError):
    """May pass by itself: tried again with growing waits. `retry_after` (seconds) is the server's own wish, if any."""

    def __init__(self, reason: Reason, message: str, retry_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class Blocked(StageError):
    """A known wait: tried again after `wait` seconds, or earlier when something it waits for changes."""

    def __init__(self, reason: Reason, message: str, wait: float) -> None:
        super().__init__(reason, message)
        self.wait = wait


class Terminal(StageError):
    """Stalled until the input changes (a commit, the spec, the cluster's kinds)."""
