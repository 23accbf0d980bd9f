"""`status.loadBalancer.ingress`, which a Service and an Ingress share."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import integer, items, text
from reconciler.core.health.verdict import quoted


def addressed(document: dict[str, Any]) -> bool:
    """Whether a controller has given the object an address."""
    return bool(items(document, "status", "loadBalancer", "ingress"))


def refused(document: dict[str, Any]) -> str:
    """What is wrong with a port, by the controller's word (PortStatus.error of core/v1 and networking/v1)."""
    for point in items(document, "status", "loadBalancer", "ingress"):
        for port in items(point, "ports"):
            if error := text(port, "error"):
                return f"port {integer(port, 'port')}: {quoted(error)}"
    return ""
