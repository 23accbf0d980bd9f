"""What a strategy needs to be written down for Argo Rollouts, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Making:
    """What a strategy needs to know to be written down: the Rollout's name and namespace, where Argo Rollouts reaches
    Dispatch's gates (`http://host:port/gates`) and the operator's Prometheus (empty when there is none), and the
    Service that users reach (blue/green; empty when there is none).
    """

    namespace: str
    name: str
    gates: str
    prometheus: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """`strategy` is the Rollout's `spec.strategy`; `objects` are what it refers to: AnalysisTemplates, Services."""

    strategy: Mapping[str, Any]
    objects: tuple[dict[str, Any], ...] = ()
