"""What an Application's strategy would make of its objects, and what a change would do to the rollouts: for
`dispatch diff`, which has no controller's memory and asks the server. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.core.applyset import PART_OF
from reconciler.core.desired import Wanted
from reconciler.core.progressive.addresses import Addresses, found_in
from reconciler.core.progressive.predict import predict
from reconciler.core.progressive.seen import see, see_deployment
from reconciler.core.progressive.shape import Shaped, shape
from reconciler.core.progressive.template import workload_of
from reconciler.engine.preview import Difference
from reconciler.engine.stages.admit import policy
from reconciler.model.application import Application, ApplicationStatus
from reconciler.model.change import Action
from reconciler.model.identity import ObjectId
from reconciler.model.ledger import Ledger, Promoted, Veto
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rollout import DeploymentSeen, RolloutSeen
from reconciler.ports import Cluster, Making, RolloutStrategy

_VERSIONS = {"Deployment": "apps/v1", "Rollout": "argoproj.io/v1alpha1", "AnalysisTemplate": "argoproj.io/v1alpha1"}
_UNKNOWN = Addresses("http://dispatch/gates", "http://prometheus")
"""What stands for addresses that only the controller knows, as long as it has written none."""


def shaped(
    cluster: Cluster,
    application: Application,
    manifests: Sequence[Manifest],
    strategies: Mapping[str, RolloutStrategy],
    applyset: str,
    commit: str,
) -> Shaped:
    """The manifests as the controller would shape them now. Raises Terminal(INVALID_SPEC)."""

    def look(kind: str, namespace: str, name: str) -> DeploymentSeen | RolloutSeen | None:
        document = _member(cluster, applyset, kind, namespace, name)
        if document is None:
            return None
        return _seen(cluster, document, namespace) if kind == "Rollout" else see_deployment(document)

    found = _addresses(cluster, application, applyset) if application.spec.strategy.progressive else Addresses()
    making = Making(application.namespace, "", found.gates, found.prometheus)
    return shape(manifests, application.spec.strategy, strategies, look, making, commit)


def told(
    cluster: Cluster,
    application: Application,
    status: ApplicationStatus,
    found: Shaped,
    wanted: Sequence[Wanted],
    differences: Sequence[Difference],
) -> list[Difference]:
    """The differences, with what each would do to a rollout. `wanted` are the shaped manifests, completed."""
    if not found.rollouts:
        return list(differences)
    live = {each.id: each.live for each in differences if each.live is not None}
    seen = {
        id: _seen(cluster, document, id.namespace)
        for id in found.rollouts
        if (document := _read(cluster, id.kind, id.namespace, id.name)) is not None
    }
    changed = {each.id: [field.path for field in each.fields] for each in differences if each.action is Action.UPDATE}
    whole = replace(found, manifests=tuple(each.manifest for each in wanted))
    predictions = predict(whole, live, seen, changed, _ledger(status), policy(application).in_flight)
    differing = {each.id for each in differences if each.action is not Action.NONE}
    said: dict[ObjectId, tuple[str, ...]] = {}
    for prediction in predictions:
        at = prediction.carrier if prediction.carrier in differing else prediction.rollout
        said[at] = (*said.get(at, ()), *prediction.sentences)
    return [replace(each, predictions=said.get(each.id, ())) for each in differences]


def _ledger(status: ApplicationStatus) -> Ledger:
    """What the controller has read from Git, as it says it in the status."""
    promoted = status.promoted
    return Ledger(
        Promoted(promoted.revision, promoted.templates, promoted.at) if promoted is not None else None,
        tuple(Veto(veto.template, veto.images, veto.revision, veto.why, veto.by, veto.at) for veto in status.vetoes),
    )


def _seen(cluster: Cluster, document: Mapping[str, Any], namespace: str) -> RolloutSeen:
    workload = workload_of(document, namespace)
    return see(document, workload=_read(cluster, "Deployment", namespace, workload.name) if workload else None)


def _addresses(cluster: Cluster, application: Application, applyset: str) -> Addresses:
    resource = cluster.resource(_VERSIONS["AnalysisTemplate"], "AnalysisTemplate")
    try:
        selector = f"{PART_OF}={applyset}"
        found = found_in(cluster.listing(resource, application.namespace, selector)) if resource else Addresses()
    except Terminal as error:
        if error.reason is not Reason.FORBIDDEN:
            raise
        found = Addresses()
    return Addresses(found.gates or _UNKNOWN.gates, found.prometheus or _UNKNOWN.prometheus)


def _member(cluster: Cluster, applyset: str, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    document = _read(cluster, kind, namespace, name)
    labels = ((document or {}).get("metadata") or {}).get("labels") or {}
    return document if labels.get(PART_OF) == applyset else None


def _read(cluster: Cluster, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    """None, too, for what we may not read: the difference then says so of the object itself."""
    resource = cluster.resource(_VERSIONS[kind], kind)
    try:
        return cluster.read(resource, namespace, name) if resource is not None else None
    except Terminal as error:
        if error.reason is not Reason.FORBIDDEN:
            raise
        return None
