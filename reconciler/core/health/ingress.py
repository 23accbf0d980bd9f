"""Ingress.networking.k8s.io: Healthy as soon as it is there, as kstatus; gitops-engine waits for an address."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.loadbalancer import refused
from reconciler.core.health.verdict import degraded, healthy
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    """No address is no fault: several controllers never write one (Argo CD's FAQ; argo-cd issue 14607)."""
    error = refused(document)
    return degraded(error) if error else healthy()
