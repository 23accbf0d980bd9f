"""PodDisruptionBudget.policy, as Argo CD's health.lua for it and kstatus."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import every
from reconciler.core.health.generation import unobserved
from reconciler.core.health.verdict import degraded, healthy
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    """Too few Pods is no fault of the budget: it guards a single replica on purpose (argo-cd issue 20171)."""
    if waiting := unobserved(document, required=True):
        return waiting
    for one in every(document):
        if one.false and one.reason != "InsufficientPods":
            return degraded(one.why)
    return healthy()
