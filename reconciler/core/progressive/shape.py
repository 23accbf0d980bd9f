"""What is written to the cluster for a strategy: Rollouts for Deployments, and the way in and out of them.

The order of a hand-over is in `handover.py`. What makes it safe: the number of pods of a Deployment is given up to the
Rollouts controller as it is, never changed, until the Rollout has all pods; and a Rollout stays until the Deployment
has all pods again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.progressive import autoscalers, handover, made, services
from reconciler.core.progressive.handover import Live, Place
from reconciler.core.progressive.native import taken
from reconciler.core.progressive.shaped import Look, Shaped
from reconciler.core.progressive.template import DEPLOYMENT, ROLLOUT, mark, read_mark, template_digest
from reconciler.model.application import DriftIgnore
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Blocked, Reason, Terminal
from reconciler.model.rollout import DeploymentSeen, RolloutSeen
from reconciler.model.strategy import BlueGreen, Canary, Strategy
from reconciler.ports import Making, RolloutStrategy

__all__ = ["Look", "Shaped", "shape"]

STRATEGY = "dispatch.dev/strategy"
"""Annotation of a Deployment that Kubernetes itself shall roll out: `rolling`."""
_SERVICE = GroupKind("", "Service")


@dataclass(frozen=True, slots=True)
class _Folder:
    """All that is known about the whole of it. `scaled` are the autoscalers, by the Deployment that they scale."""

    manifests: Sequence[Manifest]
    params: Canary | BlueGreen | None
    ways: Mapping[str, RolloutStrategy]
    live: Look
    making: Making
    commit: str
    scaled: Mapping[ObjectId, Manifest]

    def full(self, manifest: Manifest) -> ObjectId:
        """The identity with the namespace that an object gets which names none."""
        return manifest.id._replace(namespace=manifest.id.namespace or self.making.namespace)

    def of_kind(self, kind: GroupKind, namespace: str) -> list[Manifest]:
        return [
            manifest
            for manifest in self.manifests
            if manifest.id.group_kind == kind and self.full(manifest).namespace == namespace
        ]


@dataclass(frozen=True, slots=True)
class _Part:
    """What became of one Deployment. `scales_rollout`: its autoscalers belong to the Rollout now."""

    manifests: tuple[Manifest, ...]
    ignore: tuple[DriftIgnore, ...] = ()
    digest: str = ""
    walker: ObjectId | None = None
    scales_rollout: bool = False
    state: str = ""


def shape(
    manifests: Sequence[Manifest],
    strategy: Strategy,
    ways: Mapping[str, RolloutStrategy],
    live: Look,
    making: Making,
    commit: str,
) -> Shaped:
    """The manifests as the strategy wants them; as they are where it wants nothing.

    `ways` are the strategies `canary` and `blueGreen`; `making` is what they are told, but for the names of one
    Rollout; `commit` is the one that brought the manifests. Raises Terminal(INVALID_SPEC), with file and line, and
    Blocked(ROLLING_OUT) while a way out would strand users.
    """
    params = strategy.progressive
    own = Shaped(tuple(manifests))
    if any(manifest.id.group_kind == ROLLOUT for manifest in manifests):
        own = taken(manifests, params, live, making.namespace, commit)
        if params is not None:
            return own
    scaled = {
        found: manifest
        for manifest in manifests
        if (found := autoscalers.target(manifest, making.namespace)) is not None
    }
    folder = _Folder(own.manifests, params, ways, live, making, commit, scaled)
    parts = {
        id: _part(folder, manifest)
        for manifest in own.manifests
        if manifest.id.group_kind == DEPLOYMENT
        and (id := folder.full(manifest)) not in own.carriers
        and _walker(id) not in own.rollouts
    }
    return _joined(folder, parts, own)


def _joined(folder: _Folder, parts: Mapping[ObjectId, _Part], own: Shaped) -> Shaped:
    """Each manifest in its place, with what was made for it behind it; `own` is what the folder walks out itself."""
    joined: list[Manifest] = []
    for manifest in folder.manifests:
        part = parts.get(folder.full(manifest))
        scaled = autoscalers.target(manifest, folder.making.namespace)
        if part is not None:
            joined += part.manifests
        elif scaled is not None and scaled in parts and parts[scaled].scales_rollout:
            joined.append(autoscalers.redirected(manifest))
        else:
            joined.append(manifest)
    return Shaped(
        manifests=tuple(joined),
        ignore=(*own.ignore, *(rule for part in parts.values() for rule in part.ignore)),
        carriers={**own.carriers, **{id: part.digest for id, part in parts.items() if part.digest}},
        rollouts=(*own.rollouts, *(part.walker for part in parts.values() if part.walker is not None)),
        state=" ".join(filter(None, (own.state, *sorted(part.state for part in parts.values() if part.state)))),
    )


def _part(folder: _Folder, manifest: Manifest) -> _Part:
    walked = folder.params is not None and manifest.annotations.get(STRATEGY) != "rolling"
    return _walked_out(folder, manifest, folder.params) if walked and folder.params else _rolling(folder, manifest)


def _walked_out(folder: _Folder, manifest: Manifest, params: Canary | BlueGreen) -> _Part:
    if isinstance(params, Canary) and not params.steps:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{manifest.origin}: spec.strategy.canary has no steps and the folder no Rollout of its own: "
            f"{manifest.id.name} would be replaced at once. Write steps, or leave the strategy out.",
        )
    id, wanted = folder.full(manifest), _wanted(folder, manifest)
    live, walker = _look(folder, id), _walker(id)
    place = handover.way_in(live, wanted)
    digest = template_digest(manifest.document)
    text = _mark(digest, live, folder.commit)
    carrier = made.marked(manifest, text)
    if place in handover.REPLICAS:
        carrier = made.scaled(carrier, handover.REPLICAS[place])
    pods = wanted if wanted is not None else _pods(folder, id, live)
    rules = handover.rules(place, id)
    return _Part(
        manifests=(carrier, *_rollout(folder, manifest, params, pods)),
        ignore=rules if wanted is not None else (*rules, handover.left_to_others(walker)),
        digest=digest,
        walker=walker,
        scales_rollout=True,
        state=f"{id.namespace}/{id.name}={place}/{text}" + ("" if wanted is not None else f"/{pods}"),
    )


def _rolling(folder: _Folder, manifest: Manifest) -> _Part:
    """A Deployment that Kubernetes rolls out: as Git has it, but on its way back from a Rollout."""
    id, wanted = folder.full(manifest), _wanted(folder, manifest)
    rollout = folder.live("Rollout", id.namespace, id.name)
    ours = isinstance(rollout, RolloutSeen) and rollout.workload == id
    if not ours and wanted is not None:
        return _Part((manifest,))
    live = _look(folder, id) if ours else Live(_look(folder, id).deployment, None)
    place = handover.way_out(live, wanted)
    if place is Place.NONE:
        return _Part((manifest,))
    digest = template_digest(manifest.document)
    text = _mark(digest, live, folder.commit)
    state = f"{id.namespace}/{id.name}={place}/{text}"
    if live.rollout is None:
        return _Part((made.marked(manifest, text),), handover.rules(place, id), digest, state=state)
    _refuse_divided(manifest, live.rollout)
    pods = wanted if wanted is not None else handover.carried_by(live.rollout)
    carrier = made.scaled(made.marked(manifest, text), pods)
    if place is Place.BACK:
        return _Part((carrier,), digest=digest, state=f"{state}/{pods}")
    parting = Manifest(made.parting_rollout(manifest, id.namespace, pods), manifest.origin)
    return _Part(
        manifests=(carrier, parting),
        ignore=() if wanted is not None else (handover.left_to_others(_walker(id)),),
        digest=digest,
        scales_rollout=True,
        state=f"{state}/{pods}",
    )


def _refuse_divided(manifest: Manifest, rollout: RolloutSeen) -> None:
    """A Rollout that loses its trafficRouting leaves the router as it is: with a share of the users at a Service that
    is about to go.
    """
    if rollout.weight and not rollout.promoted:
        name = rollout.id.name
        raise Blocked(
            Reason.ROLLING_OUT,
            f"{manifest.origin}: {name} cannot leave its strategy while the traffic router sends {rollout.weight}% of "
            f"the traffic to the new version: `dispatch rollout promote {name} --full` or `dispatch rollout abort "
            f"{name}` first.",
            wait=10.0,
        )


def _rollout(folder: _Folder, manifest: Manifest, params: Canary | BlueGreen, pods: int) -> list[Manifest]:
    """The Rollout, what its strategy needs, and copies of a Service that the folder does not have yet."""
    id = folder.full(manifest)
    around = folder.of_kind(_SERVICE, id.namespace)
    service = _reached(folder, manifest, params, around)
    way = folder.ways["canary" if isinstance(params, Canary) else "blueGreen"]
    written = way.write(params, replace(folder.making, namespace=id.namespace, name=id.name, service=service))
    document = made.rollout(manifest, id.namespace, pods, params, written.strategy)
    there = {each.id.name: each for each in around}
    copies = [
        services.copy(there[service], name)
        for name in services.named(written.strategy)
        if name not in there and service in there
    ]
    needed = [made.beside(each, manifest, id.namespace) for each in (*copies, *written.objects)]
    return [Manifest(each, manifest.origin) for each in (*needed, document)]


def _reached(folder: _Folder, manifest: Manifest, params: Canary | BlueGreen, around: Sequence[Manifest]) -> str:
    labels = made.pod_labels(manifest)
    if isinstance(params, BlueGreen):
        workloads = [
            each
            for each in folder.manifests
            if each.id.group_kind == DEPLOYMENT and each.annotations.get(STRATEGY) != "rolling"
        ]
        return services.reached(around, labels, params, manifest, alone=len(workloads) == 1)
    found = [name for name in services.selecting(around, labels) if not name.endswith("-canary")]
    return found[0] if len(found) == 1 else ""


def _look(folder: _Folder, id: ObjectId) -> Live:
    deployment = folder.live("Deployment", id.namespace, id.name)
    rollout = folder.live("Rollout", id.namespace, id.name)
    return Live(
        deployment if isinstance(deployment, DeploymentSeen) else None,
        rollout if isinstance(rollout, RolloutSeen) else None,
    )


def _walker(deployment: ObjectId) -> ObjectId:
    return deployment._replace(group=ROLLOUT.group, kind=ROLLOUT.kind)


def _wanted(folder: _Folder, manifest: Manifest) -> int | None:
    """How many pods Git wants; None where an autoscaler, or whoever scales by hand, says it."""
    return None if folder.full(manifest) in folder.scaled else made.wanted_replicas(manifest)


def _pods(folder: _Folder, id: ObjectId, live: Live) -> int:
    """How many pods a Rollout starts with that somebody else scales. Argo Rollouts takes none given as 1: an autoscaler
    would be too slow to save a Deployment of 50 pods from that.
    """
    if live.rollout is None and live.deployment is not None and live.deployment.replicas:
        return live.deployment.replicas
    autoscaler = folder.scaled.get(id)
    return autoscalers.least(autoscaler) if autoscaler is not None else 1


def _mark(digest: str, live: Live, commit: str) -> str:
    """The live mark as long as the template is the same: a commit that changes something else writes nothing here."""
    now = live.deployment.candidate if live.deployment is not None else ""
    return now if read_mark(now)[0] == digest else mark(digest, commit)
