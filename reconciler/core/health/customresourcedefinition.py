"""CustomResourceDefinition.apiextensions.k8s.io, as Argo CD's health.lua for it and kstatus."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import every
from reconciler.core.health.verdict import degraded, healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    found = {one.type: one for one in every(document)}
    ending, names, schema = found.get("Terminating"), found.get("NamesAccepted"), found.get("NonStructuralSchema")
    if ending and ending.true:
        return progressing(f"being deleted: {ending.why}")
    if names and names.false:
        return degraded(f"its names are not accepted: {names.why}")
    if schema and schema.true:
        return degraded(f"its schema is not structural: {schema.why}")
    established = found.get("Established")
    if established is None or (established.false and established.reason == "Installing"):
        return progressing("waiting to be established")
    return healthy() if established.true else degraded(f"not established: {established.why}")
