"""Stage 2: the objects of the folder, shaped by the strategy, completed with namespace and membership, in stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.applyset import applyset_id
from reconciler.core.desired import Wanted, complete
from reconciler.core.order import stages
from reconciler.core.progressive.shape import Shaped, shape
from reconciler.core.progressive.template import workload_of
from reconciler.engine.world import World
from reconciler.model.application import Application, DriftIgnore
from reconciler.model.identity import ObjectId
from reconciler.model.rendered import Rendered
from reconciler.model.rollout import DeploymentSeen, RolloutSeen
from reconciler.ports import Making, RenderRequest, Tree


@dataclass(frozen=True, slots=True)
class Goal:
    """What the cluster should hold: the wanted objects by stage. `key` changes when any of them may have changed.

    `carriers` are the objects whose pod template a Rollout walks out, with its digest; `rollouts` are their Rollouts,
    by carrier. `ignore` are fields that are left alone beside those that the user names.
    """

    key: tuple[str, ...]
    rendered: Rendered
    stages: tuple[tuple[Wanted, ...], ...]
    carriers: Mapping[ObjectId, str] = field(default_factory=dict)
    rollouts: Mapping[ObjectId, ObjectId] = field(default_factory=dict)
    ignore: tuple[DriftIgnore, ...] = ()

    @property
    def wanted(self) -> list[Wanted]:
        return [wanted for stage in self.stages for wanted in stage]


def request(application: Application) -> RenderRequest:
    """What the renderer is asked for."""
    return RenderRequest(
        path="" if application.spec.source.path in (".", "./") else application.spec.source.path.strip("/"),
        render=application.spec.render,
        name=application.metadata.name,
        namespace=application.namespace,
    )


def render(world: World, application: Application, tree: Tree, commit: str, before: Goal | None) -> Goal:
    """`before` is returned as it is when nothing that the goal depends on has changed. `commit` is the tree's."""
    rendered = world.renderer.render(tree, request(application))
    namespace = application.namespace
    applyset = applyset_id(application.metadata.name, application.metadata.namespace)
    shaped = _shape(world, application, rendered, applyset, commit)
    key = (rendered.key, namespace, applyset, str(application.metadata.generation), shaped.state)
    if before is not None and before.key == key:
        return before
    completed = complete(shaped.manifests, world.cluster.resource, namespace, applyset)
    by_manifest = {id(wanted.manifest): wanted for wanted in completed}
    ordered = stages([wanted.manifest for wanted in completed])
    return Goal(
        key,
        rendered,
        tuple(tuple(by_manifest[id(manifest)] for manifest in stage) for stage in ordered),
        shaped.carriers,
        _rollouts(shaped, completed),
        shaped.ignore,
    )


def _shape(world: World, application: Application, rendered: Rendered, applyset: str, commit: str) -> Shaped:
    def look(kind: str, namespace: str, name: str) -> DeploymentSeen | RolloutSeen | None:
        group = "argoproj.io" if kind == "Rollout" else "apps"
        id = ObjectId(group, kind, namespace, name)
        entry = world.live.get(id)
        if entry is None or entry.applyset != applyset:
            return None
        return world.live.rollout(id) if kind == "Rollout" else entry.seen

    rolling = world.rolling
    making = Making(application.namespace, "", rolling.gates, rolling.prometheus)
    return shape(rendered.manifests, application.spec.strategy, rolling.strategies, look, making, commit)


def _rollouts(shaped: Shaped, completed: Sequence[Wanted]) -> dict[ObjectId, ObjectId]:
    """The Rollout of each carrier: itself, or the one that refers to it. One that takes its pods' template from a
    workload of somebody else's carries what it has itself: Git does not know its versions, people still approve them.
    """
    walkers = frozenset(shaped.rollouts)
    found = {}
    for wanted in completed:
        if wanted.id not in walkers:
            continue
        workload = workload_of(wanted.manifest.document, wanted.id.namespace)
        carrier = workload if workload is not None and workload in shaped.carriers else wanted.id
        if carrier in shaped.carriers:
            found[carrier] = wanted.id
    return found
