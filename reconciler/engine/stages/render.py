"""Stage 2: the objects of the folder, completed with namespace and membership, in stages."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.applyset import applyset_id
from reconciler.core.desired import Wanted, complete
from reconciler.core.order import stages
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.rendered import Rendered
from reconciler.ports import RenderRequest, Tree


@dataclass(frozen=True, slots=True)
class Goal:
    """What the cluster should hold: the wanted objects by stage. `key` changes when any of them may have changed."""

    key: tuple[str, str, str]
    rendered: Rendered
    stages: tuple[tuple[Wanted, ...], ...]

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


def render(world: World, application: Application, tree: Tree, before: Goal | None) -> Goal:
    """`before` is returned as it is when nothing that the render depends on has changed."""
    rendered = world.renderer.render(tree, request(application))
    namespace = application.namespace
    applyset = applyset_id(application.metadata.name, application.metadata.namespace)
    key = (rendered.key, namespace, applyset)
    if before is not None and before.key == key:
        return before
    completed = complete(rendered.manifests, world.cluster.resource, namespace, applyset)
    by_manifest = {id(wanted.manifest): wanted for wanted in completed}
    ordered = stages([wanted.manifest for wanted in completed])
    return Goal(key, rendered, tuple(tuple(by_manifest[id(manifest)] for manifest in stage) for stage in ordered))
