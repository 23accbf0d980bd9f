"""Namespace of the core group, by its phase (k8s.io/api/core/v1, NamespacePhase)."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import text
from reconciler.core.health.verdict import healthy, progressing
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    return progressing("being deleted") if text(document, "status", "phase") == "Terminating" else healthy()
