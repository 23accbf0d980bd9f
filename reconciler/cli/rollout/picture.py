"""One Rollout as people look at it: its steps, its versions with their pods, its analyses, and what Dispatch decides.

Pure: from the documents as the API server holds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.cli.applications import Document, entries, status
from reconciler.cli.rollout.analyses import Analysis, analyses
from reconciler.cli.rollout.steps import Step, steps
from reconciler.cli.rollout.versions import Version, versions
from reconciler.core.health.fields import integer, items, value
from reconciler.core.progressive.ended import ended_by_hand
from reconciler.core.progressive.seen import see
from reconciler.core.progressive.template import images, read_mark, workload_of
from reconciler.model.identity import ObjectId, identify
from reconciler.model.rollout import CANDIDATE, Phase, RolloutSeen


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is read of one Application: its Rollouts, the objects from which they take their pod templates, and
    what stands around them (ReplicaSets, Pods, AnalysisRuns). `notes` say what could not be read.
    """

    application: Document
    rollouts: Sequence[Document]
    workloads: Mapping[ObjectId, Document]
    around: Sequence[Document]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """`weight` is the share of the new version in percent that its steps ask for, None for blue/green; `decision` and
    `why` are Dispatch's, empty while it has said nothing.
    """

    id: ObjectId
    seen: RolloutSeen
    steps: tuple[Step, ...]
    versions: tuple[Version, ...]
    analyses: tuple[Analysis, ...]
    weight: int | None
    decision: str = ""
    why: str = ""

    @property
    def by_pods(self) -> int | None:
        """The share of the new version among the pods that are ready, in percent; None where none is."""
        ready = sum(each.ready for each in self.versions)
        new = next((each.ready for each in self.versions if each.hash == self.seen.pod_hash), 0)
        return round(100 * new / ready) if ready else None

    @property
    def phase(self) -> str:
        """The phase in one or two words. An unobserved one is called what it is."""
        if not self.seen.observed:
            return "Waiting"
        return "Aborted" if self.seen.aborted else str(self.seen.phase)

    @property
    def done(self) -> bool | None:
        """True once the newest version is promoted, False once it is aborted, None while it is on its way."""
        if not self.seen.observed:
            return None
        if self.seen.aborted:
            return False
        return True if self.seen.promoted and self.seen.phase is Phase.HEALTHY else None


def pictures(scene: Scene, now: datetime) -> list[Picture]:
    """One for each Rollout, by namespace and name."""
    drawn = [_picture(scene, rollout, now) for rollout in scene.rollouts]
    return sorted(drawn, key=lambda picture: picture.id)


def look(scene: Scene, rollout: Document) -> RolloutSeen:
    """The Rollout as a strategy would see it."""
    runs = [each for each in scene.around if each.get("kind") == "AnalysisRun"]
    return see(rollout, ended_by_hand(rollout, runs), _workload(scene, rollout))


def given_steps(application: Document, count: int) -> list[Document]:
    """The steps of the Application's own canary, if it made the Rollout's: so many as that has. Else none."""
    found = items(application, "spec", "strategy", "canary", "steps")
    return found if len(found) == count else []


def _picture(scene: Scene, rollout: Document, now: datetime) -> Picture:
    seen = look(scene, rollout)
    told = _told(scene.application, seen.id)
    carrier = _workload(scene, rollout) or rollout
    template, commit = read_mark((carrier.get("metadata", {}).get("annotations") or {}).get(CANDIDATE, ""))
    if not commit and told.get("podHash") == seen.pod_hash:
        commit = str(told.get("revision", ""))
    stable_commit = commit if seen.promoted else _promoted_commit(scene.application, seen.id.name, template)
    return Picture(
        id=seen.id,
        seen=seen,
        steps=steps(rollout, seen, given_steps(scene.application, seen.steps)),
        versions=versions(seen, scene.around, images(carrier), commit, stable_commit, now),
        analyses=analyses(seen, scene.around),
        weight=_weight(rollout, seen),
        decision=str(told.get("decision", "")),
        why=str(told.get("message", "")),
    )


def _workload(scene: Scene, rollout: Document) -> Document | None:
    wanted = workload_of(rollout, identify(rollout).namespace)
    return scene.workloads.get(wanted) if wanted is not None else None


def _told(application: Document, id: ObjectId) -> Document:
    """What the Application's status says of the Rollout."""
    return next((each for each in entries(application, "rollouts") if each.get("object") == str(id)), {})


def _promoted_commit(application: Document, workload: str, template: str) -> str:
    """The commit of the last version that went all the way: unless that is the very version on its way."""
    templates = status(application, "promoted", "templates") or {}
    same = template and templates.get(workload) == template
    return "" if same else str(status(application, "promoted", "revision") or "")


def _weight(rollout: Document, seen: RolloutSeen) -> int | None:
    """After GetCurrentSetWeight (argo-rollouts, utils/replicaset/canary.go); what a traffic router has goes first."""
    if seen.strategy != "canary":
        return None
    if seen.weight is not None:
        return seen.weight
    if seen.aborted:
        return 0
    if seen.step is None or seen.step >= seen.steps or seen.promoted:
        return 100
    given = items(rollout, "spec", "strategy", "canary", "steps")[: seen.step + 1]
    return next((integer(step, "setWeight") for step in reversed(given) if value(step, "setWeight") is not None), 0)
