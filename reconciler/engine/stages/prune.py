"""Stage 4, last part: delete what left Git; and all of an Application that is being deleted with its objects."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reconciler.core.applyset import additional_namespaces, contained_kinds
from reconciler.core.order import removal_order
from reconciler.core.progressive.services import held
from reconciler.core.progressive.template import ROLLOUT
from reconciler.core.prune import to_prune
from reconciler.engine.progress import Progress
from reconciler.engine.stages.send import abandon
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.change import Action, Change, Refusal, Resource
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.outcome import Reason, Terminal, Transient

_LET_GO = 1.0
"""Seconds until a Rollout that still holds a Service is looked at again."""
FINALIZER = "dispatch.dev/prune"
"""On an Application: its objects are deleted with it. Without it they are left as they are (as Argo CD does)."""


def contained(application: Application) -> frozenset[GroupKind]:
    """The kinds that earlier runs said the set may hold (KEP-3659)."""
    return contained_kinds(application.metadata.annotations)


def places(world: World, application: Application, kinds: Collection[GroupKind]) -> list[tuple[Resource, str]]:
    """Where objects of these kinds may belong to the set: in the namespaces that earlier runs named, and in that of
    what names none."""
    metadata = application.metadata
    spaces = additional_namespaces(metadata.annotations) | {
        application.spec.destination.namespace or metadata.namespace
    }
    served = [found for kind in kinds if (found := world.cluster.preferred(kind)) is not None]
    return [(resource, space) for resource in served for space in sorted(spaces)]


def plan_prune(world: World, application: Application, applyset: str, wanted: Collection[ObjectId]) -> list[Change]:
    """What left Git. Called only with a complete render: `wanted` is all of it."""
    return to_prune(world.live.members(applyset), wanted, application.spec.sync, contained(application))


def prune(world: World, progress: Progress, changes: Sequence[Change]) -> None:
    """Delete, the last applied kinds first. An object that is already gone is done."""
    changes = [change for change in changes if not _held(world, progress, change.id)]
    if not changes:
        return
    abandon(world)
    by_id = {change.id: change for change in changes}
    order: list[ObjectId] = []
    targets: list[tuple[Resource, str, str, str]] = []
    for id in removal_order(by_id):
        resource = world.cluster.preferred(id.group_kind)
        if resource is not None:
            order.append(id)
            targets.append((resource, id.namespace, id.name, by_id[id].uid))
    refused = []
    for id, answer in zip(order, world.cluster.delete(targets), strict=True):
        if isinstance(answer, Refusal):
            refused.append(f"{id}: {answer.message}")
        else:
            progress.pruned.append(id)
    if refused:
        raise Transient(Reason.OBJECT_REFUSED, "the server refuses to delete:\n" + "\n".join(refused[:5]))


def _held(world: World, progress: Progress, id: ObjectId) -> bool:
    """A Rollout on its way out (core/progressive/made.py) whose pods are all that a Service selects stays until its
    controller has let the Service go. One of the folder's own goes when Git says so.
    """
    seen = world.live.rollout(id) if id.group_kind == ROLLOUT else None
    if seen is None or seen.workload is None or seen.strategy != "canary":
        return False
    services = world.cluster.resource("v1", "Service")
    if services is None or not held(id.name, list(world.cluster.listing(services, id.namespace))):
        return False
    progress.soon(_LET_GO)
    return True


def empty(world: World, application: Application, applyset: str, progress: Progress) -> bool:
    """Delete every member of an Application that is itself being deleted; True once none is left."""
    if not world.followers.ensure(places(world, application, contained(application)), within=10.0):
        raise Transient(Reason.CLUSTER_UNREACHABLE, "waiting for the first list of the objects to delete")
    members = [member for member in world.live.members(applyset) if not member.controlled and not member.keep]
    prune(world, progress, [Change(member.id, action=Action.DELETE, uid=member.uid) for member in members])
    return not members


def release(world: World, application: Application) -> None:
    """Take our finalizer off, so that the Application can go."""
    resource = world.cluster.resource(application.api_version, "Application")
    if resource is None:
        raise Terminal(Reason.UNKNOWN_KIND, "the kind Application is no longer served")
    left = [name for name in application.metadata.finalizers if name != FINALIZER]
    world.cluster.patch(
        resource, application.metadata.namespace, application.metadata.name, {"metadata": {"finalizers": left}}
    )
