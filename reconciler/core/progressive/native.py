"""Rollouts that the folder itself holds: taken as they are, with the mark of the version on what holds the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.core.progressive import handover, made
from reconciler.core.progressive.shaped import Look, Shaped
from reconciler.core.progressive.template import ROLLOUT, mark, read_mark, template_digest, workload_of
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.strategy import BlueGreen, Canary, Progressive


def taken(
    manifests: Sequence[Manifest], params: Canary | BlueGreen | None, live: Look, namespace: str, commit: str
) -> Shaped:
    """Deployments that no Rollout of the folder refers to are left as they are. `namespace` is for objects that name
    none, `params` what the Application says, None for nothing. Raises Terminal(INVALID_SPEC) where it says what the
    folder's own Rollout says already.
    """
    full = [(manifest.id._replace(namespace=manifest.id.namespace or namespace), manifest) for manifest in manifests]
    there = dict(full)
    carried = {id: _carrier(id, manifest, there) for id, manifest in there.items() if manifest.id.group_kind == ROLLOUT}
    if params is not None:
        _check([there[id] for id in carried], params)
    carriers = set(carried.values())
    digests = {id: template_digest(there[id].document) for id in carriers}
    marks = {id: _mark(id, digest, live, commit) for id, digest in digests.items()}
    return Shaped(
        manifests=tuple(made.marked(manifest, marks[id]) if id in carriers else manifest for id, manifest in full),
        ignore=tuple(
            handover.left_to_others(carrier)
            for id, carrier in carried.items()
            if carrier != id and _takes_pods(there[id])
        ),
        carriers=digests,
        rollouts=tuple(carried),
        state=" ".join(sorted(f"{id.namespace}/{id.name}={text}" for id, text in marks.items())),
    )


def _carrier(id: ObjectId, manifest: Manifest, there: Mapping[ObjectId, Manifest]) -> ObjectId:
    """What holds the template: the Deployment that the Rollout refers to, when it is in the folder."""
    workload = workload_of(manifest.document, id.namespace)
    return workload if workload is not None and workload in there else id


def _takes_pods(rollout: Manifest) -> bool:
    """A Deployment that it refers to is scaled by the controller then; else Git says how many pods that has."""
    ref = (rollout.document.get("spec") or {}).get("workloadRef")
    return isinstance(ref, Mapping) and ref.get("scaleDown") in ("onsuccess", "progressively")


def _mark(id: ObjectId, digest: str, live: Look, commit: str) -> str:
    seen = live(id.kind, id.namespace, id.name)
    now = seen.candidate if seen is not None else ""
    return now if read_mark(now)[0] == digest else mark(digest, commit)


def _check(rollouts: Sequence[Manifest], params: Canary | BlueGreen) -> None:
    """The folder's Rollouts say how; the Application only what happens around them."""
    name, manifest = "canary" if isinstance(params, Canary) else "blueGreen", rollouts[0]
    ways = [(each.document.get("spec") or {}).get("strategy") or {} for each in rollouts]
    if not any(name in has for has in ways):
        other = " or ".join(sorted(ways[0])) or "none"
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{manifest.origin}: the strategy of the folder's own Rollout {manifest.id.name} is {other}, and "
            f"spec.strategy says {name}: say the same.",
        )
    said = sorted(params.model_fields_set - set(Progressive.model_fields) - _defaulted(params))
    if said:
        fields = ", ".join(type(params).model_fields[field].alias or field for field in said)
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{manifest.origin}: the folder has its own Rollout {manifest.id.name}, so spec.strategy.{name} must not "
            f"say {fields}: take that out of the Application, or the Rollout out of the folder.",
        )


def _defaulted(params: Canary | BlueGreen) -> set[str]:
    """What has the value of its default: the API server fills those in, so nobody need have said them."""
    fields = type(params).model_fields
    return {name for name in params.model_fields_set if getattr(params, name) == fields[name].default}
