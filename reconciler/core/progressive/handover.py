"""The way of the pods from a Deployment to its Rollout and back: who carries them now, and what may be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.application import DriftIgnore
from reconciler.model.identity import ObjectId
from reconciler.model.rollout import DeploymentSeen, RolloutSeen


class Place(StrEnum):
    """Where the pods are."""

    NEW = "new"
    """Nothing of ours is there yet: the Rollout will make them."""
    ENTERING = "entering"
    """The controller takes pods from the Deployment as those of the Rollout become ready."""
    CARRIED = "carried"
    """The Rollout has them all."""
    LEAVING = "leaving"
    """The Deployment makes its own beside those of the Rollout."""
    BACK = "back"
    """The Deployment has them all: the Rollout may go."""
    LEFT = "left"
    """The Rollout is gone, and nobody says in Git how many pods the Deployment has."""
    NONE = "none"
    """There is no Rollout, and there need not be one."""


@dataclass(frozen=True, slots=True)
class Live:
    """Both of them, as they are now; None for one that is not there."""

    deployment: DeploymentSeen | None
    rollout: RolloutSeen | None


REPLICAS: Mapping[Place, int | None] = {Place.NEW: None, Place.CARRIED: 0}
"""What is sent as the replicas of a Deployment on its way in, where it is not what Git says; None leaves the field out.

A Deployment that is not there for us may well be there, without our label: to send it none would take all pods of an
application that Dispatch is about to take over. One that is made without the field gets one pod, for a few seconds.
"""


def way_in(live: Live, wanted: int | None) -> Place:
    """`wanted` is the number of pods that Git says; None when it is left to somebody else (an autoscaler).

    A Rollout that was promoted once and has its pods carries them all, whatever the Deployment still has: the
    controller itself takes them away only on behalf of the first revision (rollout/replicaset.go, `revision == 1`), and
    a Deployment that was scaled by hand serves a version that nobody judged.
    """
    if live.rollout is None:
        return Place.NEW if live.deployment is None else Place.ENTERING
    if live.deployment is None or live.deployment.replicas == 0:
        return Place.CARRIED
    enough = live.rollout.replicas if wanted is None else wanted
    settled = live.rollout.observed and not live.rollout.first
    return Place.CARRIED if settled and live.rollout.available >= max(enough, 1) else Place.ENTERING


def way_out(live: Live, wanted: int | None) -> Place:
    """Where the pods are when Git wants no Rollout (any more). `wanted` as for `way_in`.

    The Rollout may go when every pod of the Deployment is available, and when the controller has seen the form in which
    no Service is its own any more, a canary without steps (it then takes the pod hash out of their selectors).
    """
    if live.rollout is None:
        return (
            Place.LEFT if live.deployment is not None and live.deployment.candidate and wanted is None else Place.NONE
        )
    deployment = live.deployment
    if deployment is None or not deployment.observed or not live.rollout.observed:
        return Place.LEAVING
    enough = carried_by(live.rollout) if wanted is None else wanted
    all_there = min(deployment.replicas, deployment.updated, deployment.available) >= enough
    let_go = live.rollout.strategy == "canary" and not live.rollout.steps
    return Place.BACK if all_there and let_go else Place.LEAVING


def carried_by(rollout: RolloutSeen) -> int:
    """How many pods the Deployment must have before the Rollout goes, where Git does not say it."""
    return max(rollout.replicas, 1)


def left_to_others(id: ObjectId) -> DriftIgnore:
    """The rule that leaves the number of pods as it is. It is left even where only we own it: to give the field up
    would set it back to 1, the default.
    """
    return DriftIgnore(kind=str(id.group_kind), name=id.name, fields=("/spec/replicas",))


def rules(place: Place, deployment: ObjectId) -> tuple[DriftIgnore, ...]:
    """What must not be sent of the Deployment."""
    kept = place in (Place.NEW, Place.ENTERING, Place.LEFT)
    return (left_to_others(deployment),) if kept else ()
