"""What a gate answers: found in what the watches have said, without a request to anybody."""

from __future__ import annotations

from datetime import datetime

from reconciler.core.conditions import is_ready
from reconciler.core.progressive.gates import verdict
from reconciler.engine.actions import Actions
from reconciler.engine.catalog import Catalog
from reconciler.engine.freezes import Times, closing
from reconciler.engine.keys import Key
from reconciler.engine.live import LiveObjects
from reconciler.model.application import Application
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import Terminal
from reconciler.model.rollout import Verdict
from reconciler.model.strategy import Gate


def answer(
    catalog: Catalog,
    live: LiveObjects,
    actions: Actions,
    times: Times,
    rollout: ObjectId,
    pod_hash: str,
    step: int,
    now: datetime,
) -> tuple[Verdict, str]:
    """Pass, wait or fail, and why. What is not known waits."""
    entry = live.get(rollout)
    key = catalog.owner(entry.applyset) if entry is not None else None
    seen = live.rollout(rollout)
    if seen is None or key is None:
        return Verdict.WAIT, f"{rollout.namespace}/{rollout.name} is not known here (yet)"
    application = _application(catalog, key)
    gate = _gate(application, step) if application is not None else None
    ready = _ready_since(catalog, key, gate)
    shut = closing(catalog, live, times, application, seen, now).why if application is not None else ""
    return verdict(gate, seen, pod_hash, step, actions.approvals(key), ready, now, shut)


def _application(catalog: Catalog, key: Key) -> Application | None:
    try:
        return catalog.application(key)
    except Terminal:
        return None


def _gate(application: Application, step: int) -> Gate | None:
    canary = application.spec.strategy.canary
    steps = canary.steps if canary is not None else ()
    return steps[step].gate if 0 <= step < len(steps) else None


def _ready_since(catalog: Catalog, key: Key, gate: Gate | None) -> dict[str, datetime | None]:
    names = gate.healthy.applications if gate is not None and gate.healthy is not None else ()
    found: dict[str, datetime | None] = {}
    for name in names:
        other = _application(catalog, Key("Application", key.namespace, name))
        found[name] = _since(other) if other is not None else None
    return found


def _since(application: Application) -> datetime | None:
    if not is_ready(application.status.conditions, application.metadata.generation):
        return None
    return next((each.last_transition_time for each in application.status.conditions if each.type == "Ready"), None)
