"""The Services of a workload: which one users reach, and the copies that a walk-out needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.strategy import BlueGreen

POD_HASH = "rollouts-pod-template-hash"
"""The label of a Rollout's pods. The controller puts it into the selector of the Services that a Rollout names."""
MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"
"""The annotation of such a Service: the Rollout's name."""

_PREVIEW = "-preview"


def selecting(services: Sequence[Manifest], labels: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the Services whose selector matches pods with these labels."""
    return tuple(service.id.name for service in services if _selects(service, labels))


def reached(
    services: Sequence[Manifest], labels: Mapping[str, Any], params: BlueGreen, workload: Manifest, alone: bool
) -> str:
    """The Service that users reach. `services` are those of the workload's namespace; `alone`: it is the only workload.

    Raises Terminal(INVALID_SPEC) when it is not certain, and for one that does not select the pods.
    """
    found = [name for name in selecting(services, labels) if name != params.preview_service]
    found = [name for name in found if not (name.endswith(_PREVIEW) and name.removesuffix(_PREVIEW) in found)]
    if params.service is not None:
        there = params.service in {service.id.name for service in services}
        if params.service in found or not there:
            return params.service
        if alone:
            raise Terminal(
                Reason.INVALID_SPEC,
                f"{workload.origin}: spec.strategy.blueGreen.service is {params.service}, whose selector does not "
                f"match the pods of {workload.id.name}{_those(found)}.",
            )
    if len(found) == 1:
        return found[0]
    why = f"the Services {', '.join(sorted(found))} all select" if found else "no Service of the folder selects"
    raise Terminal(
        Reason.INVALID_SPEC,
        f"{workload.origin}: blue/green needs the Service that users reach, and {why} the pods of {workload.id.name}: "
        f"name it in spec.strategy.blueGreen.service, or give the Deployment the annotation dispatch.dev/strategy: "
        f"rolling.",
    )


def named(strategy: Mapping[str, Any]) -> tuple[str, ...]:
    """The Services of the new version that a Rollout's `spec.strategy` names."""
    canary, blue_green = strategy.get("canary") or {}, strategy.get("blueGreen") or {}
    return tuple(name for name in (canary.get("canaryService"), blue_green.get("previewService")) if name)


def copy(service: Manifest, name: str) -> dict[str, Any]:
    """The same ports and selector under another name, reached from inside the cluster only: annotations and addresses
    of the original (load balancers, DNS names, node ports) would be claimed twice.
    """
    given = service.document.get("spec") or {}
    spec: dict[str, Any] = {
        field: given[field] for field in ("selector", "ipFamilies", "ipFamilyPolicy") if given.get(field)
    }
    spec["ports"] = [
        {field: value for field, value in port.items() if field != "nodePort"} for port in given.get("ports") or ()
    ]
    if given.get("clusterIP") == "None":
        spec["clusterIP"] = "None"
    metadata: dict[str, Any] = {"name": name}
    if labels := (service.document.get("metadata") or {}).get("labels"):
        metadata["labels"] = dict(labels)
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {**spec, "type": "ClusterIP"}}


def held(rollout: str, services: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The live Services that still send everything to pods of this Rollout: it must not be deleted before the
    controller has let them go, for they would select no pod.
    """
    return tuple(
        str(service["metadata"]["name"])
        for service in services
        if (service["metadata"].get("annotations") or {}).get(MANAGED_BY) == rollout
        and POD_HASH in ((service.get("spec") or {}).get("selector") or {})
    )


def _selects(service: Manifest, labels: Mapping[str, Any]) -> bool:
    spec = service.document.get("spec") or {}
    selector = spec.get("selector") or {}
    if not isinstance(selector, Mapping) or not selector or spec.get("type") == "ExternalName":
        return False
    return all(labels.get(name) == value for name, value in selector.items())


def _those(found: Sequence[str]) -> str:
    return f"; these do: {', '.join(sorted(found))}" if found else " (no Service of the folder does)"
