"""What a strategy decides about: a Rollout, or a Deployment, read once from the object as the API server holds it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.core.health.fields import Malformed, flag, integer, items, mapping, text, value
from reconciler.core.health.generation import number, observed
from reconciler.core.health.rollout import refused, unseen
from reconciler.core.health.rollout_before_1_0 import calculate
from reconciler.core.health.verdict import quoted
from reconciler.core.progressive.template import DEPLOYMENT, ROLLOUT, workload_of
from reconciler.model.health import Level
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.rollout import CANDIDATE, AnalysisKind, AnalysisSeen, DeploymentSeen, Phase, RolloutSeen

_PHASES = {
    Level.HEALTHY: Phase.HEALTHY,
    Level.PROGRESSING: Phase.PROGRESSING,
    Level.SUSPENDED: Phase.PAUSED,
    Level.DEGRADED: Phase.DEGRADED,
}
_KNOWN = {str(phase): phase for phase in Phase}
_ANALYSES = (
    (AnalysisKind.STEP, "canary", "currentStepAnalysisRunStatus"),
    (AnalysisKind.BACKGROUND, "canary", "currentBackgroundAnalysisRunStatus"),
    (AnalysisKind.PRE_PROMOTION, "blueGreen", "prePromotionAnalysisRunStatus"),
    (AnalysisKind.POST_PROMOTION, "blueGreen", "postPromotionAnalysisRunStatus"),
)
_RUN = re.compile(r"[0-9]+(?:-(?P<what>pre|post|[0-9]+))?(?:\.[0-9]+)?")
"""What follows `<rollout>-<pod hash>-` in the name of an AnalysisRun: the revision, what it is for, and the number of
the try (newAnalysisRunFromRollout in rollout/analysis.go, CreateWithCollisionCounter in utils/analysis/helpers.go)."""


def see(
    document: Mapping[str, Any], terminated: Collection[str] = (), workload: Mapping[str, Any] | None = None
) -> RolloutSeen:
    """One live Rollout. `terminated` are the AnalysisRuns that somebody ended, as `ended_by_hand` names them.

    `workload` is the live object that the Rollout takes its pod template from, when there is one: without it nothing
    tells that the controller has still to see a template which was applied a moment ago.

    Never raises for what the object holds. A status that cannot be read (a field of another type than the API
    promises) gives a Rollout that is not `observed`, and a message that names the field.
    """
    raw = dict(document) if isinstance(document, Mapping) else {}
    id, uid = _identity(raw, ROLLOUT), _tolerant(raw, "metadata", "uid")
    try:
        return _seen(raw, id, uid, frozenset(terminated), workload)
    except Malformed as error:
        unreadable = quoted(f"the Rollout cannot be read: {error}")
        return RolloutSeen(id, uid, "", False, Phase.UNKNOWN, unreadable, pod_hash="", stable_hash="")


def see_deployment(document: Mapping[str, Any]) -> DeploymentSeen:
    """One live Deployment. Never raises for what the object holds: what cannot be read is not `observed`."""
    raw = dict(document) if isinstance(document, Mapping) else {}
    id = _identity(raw, DEPLOYMENT)
    try:
        seen = observed(raw)
        return DeploymentSeen(
            id=id,
            observed=seen is not None and seen >= integer(raw, "metadata", "generation"),
            replicas=integer(raw, "spec", "replicas", default=1),
            updated=integer(raw, "status", "updatedReplicas"),
            available=integer(raw, "status", "availableReplicas"),
            candidate=text(raw, "metadata", "annotations", CANDIDATE),
            generation=integer(raw, "metadata", "generation"),
            moved=max(_spec_writes(raw), default=None),
        )
    except Malformed:
        return DeploymentSeen(id, observed=False, replicas=0, updated=0, available=0)


def _seen(
    document: dict[str, Any], id: ObjectId, uid: str, terminated: frozenset[str], workload: Mapping[str, Any] | None
) -> RolloutSeen:
    waiting = _waiting(document, workload)
    phase, message = _phase(document)
    pod_hash = text(document, "status", "currentPodHash")
    step, steps = _steps(document)
    pauses = items(document, "status", "pauseConditions")
    moved = _moved(document, workload)
    return RolloutSeen(
        id=id,
        uid=uid,
        strategy=_strategy(document),
        observed=not waiting,
        phase=phase,
        message=quoted(waiting or message),
        pod_hash=pod_hash,
        stable_hash=text(document, "status", "stableRS"),
        step=step,
        steps=steps,
        pause=text(pauses[0], "reason") if pauses else "",
        # All end together, so it is the newest of them that somebody must have known of.
        pause_since=max((since for each in pauses for since in _moments(each, "startTime")), default=None),
        timed=_timed(document, step),
        controller_pause=flag(document, "status", "controllerPause"),
        spec_paused=flag(document, "spec", "paused"),
        aborted=flag(document, "status", "abort"),
        promote_full=flag(document, "status", "promoteFull"),
        invalid=refused(document),
        stuck_since=_stuck_since(document, moved),
        moved=moved,
        analyses=(*_named(document, terminated), *_past(document, id.name, pod_hash, step, terminated)),
        replicas=integer(document, "spec", "replicas", default=1),
        updated=integer(document, "status", "updatedReplicas"),
        available=integer(document, "status", "availableReplicas"),
        weight=_weight(document),
        workload=workload_of(document, id.namespace),
        workload_seen=number(document, "status", "workloadObservedGeneration"),
        revision=number(document, "metadata", "annotations", "rollout.argoproj.io/revision") or 0,
        candidate=text(document, "metadata", "annotations", CANDIDATE),
    )


def _waiting(document: dict[str, Any], workload: Mapping[str, Any] | None) -> str:
    """What the controller has still to see. The last two are patches of ours that it has not answered yet: it sets
    `abortedAt` when it carries an abort out and takes it away with the abort (rollout/pause.go), and it may drop an
    abort (a version that has just been promoted), so `abort` alone is no proof.
    """
    if value(document, "metadata", "deletionTimestamp") is not None:
        return "the Rollout is being deleted"
    if waiting := unseen(document):
        return waiting
    if workload is not None and not refused(document) and not _template_seen(document, workload):
        return "waiting for the controller to see the pod template of the workload that the Rollout refers to"
    aborted, carried_out = flag(document, "status", "abort"), bool(text(document, "status", "abortedAt"))
    if aborted and not (carried_out or _reason(document, "RolloutAborted")):
        return "waiting for the controller to carry the abort out"
    if carried_out and not aborted:
        return "waiting for the controller to take the abort back"
    return ""


def _template_seen(document: dict[str, Any], workload: Mapping[str, Any]) -> bool:
    """The controller copies the generation of the workload into an annotation when it hears of it, and into the status
    once it has acted on it (rollout/templateref.go, persistRolloutStatus in rollout/sync.go).
    """
    seen = number(document, "status", "workloadObservedGeneration")
    return seen is not None and seen >= integer(dict(workload), "metadata", "generation")


def _phase(document: dict[str, Any]) -> tuple[Phase, str]:
    phase, message = text(document, "status", "phase"), text(document, "status", "message")
    if not phase and mapping(document, "status"):
        # Argo Rollouts before 1.0 left it to the client.
        health = calculate(document)
        return _PHASES.get(health.level, Phase.UNKNOWN), health.message
    return _KNOWN.get(phase, Phase.UNKNOWN), message or ("" if phase in _KNOWN else phase)


def _strategy(document: dict[str, Any]) -> str:
    ways = mapping(document, "spec", "strategy")
    return next((way for way in ("canary", "blueGreen") if ways.get(way) is not None), "")


def _steps(document: dict[str, Any]) -> tuple[int | None, int]:
    """After GetCurrentCanaryStep (utils/replicaset/canary.go): no index is the first step."""
    steps = len(items(document, "spec", "strategy", "canary", "steps"))
    if not steps:
        return None, 0
    return min(max(integer(document, "status", "currentStepIndex"), 0), steps), steps


def _timed(document: dict[str, Any], step: int | None) -> bool:
    """A pause step with a duration; for blue/green an automatic switch after some seconds (CompletedBlueGreenPause in
    rollout/pause.go).
    """
    if step is not None:
        steps = items(document, "spec", "strategy", "canary", "steps")
        return step < len(steps) and value(steps[step], "pause", "duration") is not None
    automatic = value(document, "spec", "strategy", "blueGreen", "autoPromotionEnabled") is not False
    return automatic and integer(document, "spec", "strategy", "blueGreen", "autoPromotionSeconds") > 0


def _named(document: dict[str, Any], terminated: frozenset[str]) -> Iterator[AnalysisSeen]:
    """The runs that the status names."""
    for kind, way, field in _ANALYSES:
        run = mapping(document, "status", way, field)
        if name := text(run, "name"):
            told = quoted(text(run, "message"))
            yield AnalysisSeen(kind, name, text(run, "status"), told, name in terminated)


def _past(
    document: dict[str, Any], name: str, pod_hash: str, step: int | None, terminated: frozenset[str]
) -> Iterator[AnalysisSeen]:
    """Runs of a step that was passed because somebody ended them: the status has forgotten them in the same instant
    (canary.go), so they are known by name only.
    """
    prefix = f"{name}-{pod_hash}-"
    for run in sorted(terminated):
        found = _RUN.fullmatch(run.removeprefix(prefix)) if pod_hash and run.startswith(prefix) else None
        index = found["what"] if found else None
        if index and index.isdigit() and step is not None and int(index) < step:
            yield AnalysisSeen(AnalysisKind.STEP, run, "", terminated=True)


def _weight(document: dict[str, Any]) -> int | None:
    found = value(document, "status", "canary", "weights", "canary", "weight")
    return None if found is None else integer(document, "status", "canary", "weights", "canary", "weight")


def _reason(document: dict[str, Any], reason: str) -> dict[str, Any]:
    """The condition of that reason; empty when there is none."""
    found = (one for one in items(document, "status", "conditions") if text(one, "reason") == reason)
    return next(found, {})


def _stuck_since(document: dict[str, Any], moved: datetime | None) -> datetime | None:
    """Since when the deadline is exceeded: the later of both times, so that it is never taken for older than it is."""
    stuck = _reason(document, "ProgressDeadlineExceeded")
    if not stuck:
        return None
    return max(_moments(stuck, "lastUpdateTime", "lastTransitionTime"), default=moved)


def _moved(document: dict[str, Any], workload: Mapping[str, Any] | None) -> datetime | None:
    """The latest time in the object: of the status, and of any write that the server keeps the author of. The last
    are there so that a controller is not called silent about a spec that has just been written.
    """
    times = [
        *_moments(mapping(document, "status"), "abortedAt", "restartedAt"),
        *_moments(mapping(document, "metadata"), "creationTimestamp"),
    ]
    for condition in items(document, "status", "conditions"):
        times += _moments(condition, "lastUpdateTime", "lastTransitionTime")
    for pause in items(document, "status", "pauseConditions"):
        times += _moments(pause, "startTime")
    for write in items(document, "metadata", "managedFields"):
        times += _moments(write, "time")
    return max((*times, *_spec_writes(dict(workload or {}))), default=None)


def _spec_writes(workload: dict[str, Any]) -> list[datetime]:
    """When the spec of a workload was written. Its status is a controller's of its own, which says nothing here."""
    writes = items(workload, "metadata", "managedFields")
    return [moment for write in writes if not write.get("subresource") for moment in _moments(write, "time")]


def _moments(document: dict[str, Any], *fields: str) -> list[datetime]:
    return [found for field in fields if (found := _moment(document, field)) is not None]


def _moment(document: dict[str, Any], field: str) -> datetime | None:
    """A time of the API (RFC 3339), None where none is or where it cannot be read: no decision hangs on it alone."""
    found = document.get(field)
    try:
        moment = datetime.fromisoformat(found) if isinstance(found, str) else None
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _identity(document: dict[str, Any], kind: GroupKind) -> ObjectId:
    return ObjectId(*kind, _tolerant(document, "metadata", "namespace"), _tolerant(document, "metadata", "name"))


def _tolerant(document: dict[str, Any], *path: str) -> str:
    """Text for telling which object it is, empty where something else stands."""
    try:
        return text(document, *path)
    except Malformed:
        return ""
