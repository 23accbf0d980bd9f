"""Every kind without a rule of its own: the conditions of kstatus (sigs.k8s.io/cli-utils/pkg/kstatus).

An object without a status (a ConfigMap, a Role) is Healthy when it exists.
"""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import Condition, every
from reconciler.core.health.fields import integer
from reconciler.core.health.generation import observed, unobserved
from reconciler.core.health.verdict import degraded, healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    if document.get("status") is None:
        return healthy()
    if waiting := unobserved(document):
        return waiting
    found = {one.type: one for one in every(document, "Stalled", "Reconciling", "Ready")}
    if stale := _stale(document, found):
        return stale
    stalled, reconciling, ready = found.get("Stalled"), found.get("Reconciling"), found.get("Ready")
    if stalled and stalled.true:
        return degraded(stalled.why or "stalled")
    if reconciling and reconciling.true:
        return progressing(reconciling.why or "reconciling")
    if ready and not ready.true:
        return progressing(ready.why or "not Ready yet")
    return healthy()


def _stale(document: dict[str, Any], found: dict[str, Condition]) -> Health | None:
    """A kind may note the generation on each condition (KEP-1623); then an older one says nothing of this spec."""
    if observed(document) is not None:
        return None
    wanted = integer(document, "metadata", "generation")
    for one in found.values():
        if one.observed is not None and one.observed < wanted:
            return progressing(f"waiting for the controller to see generation {wanted} (it has seen {one.observed})")
    return None
