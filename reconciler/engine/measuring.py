"""What the metrics say that the gates of a promotion ask for."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.engine.world import Rolling
from reconciler.model.promotion import PromotionGate
from reconciler.model.strategy import PrometheusMetric
from reconciler.ports import Measured

_NOWHERE = Measured(
    problem="this Dispatch knows no Prometheus of its own: give `address` here, or start Dispatch with --prometheus URL"
)


def measured(rolling: Rolling, gates: Iterable[PromotionGate]) -> dict[PrometheusMetric, Measured]:
    """The numbers of each metric that these gates name, now. Nothing is asked where no gate names one."""
    asked = {gate.analysis.prometheus for gate in gates if gate.analysis is not None}
    return {metric: _measure(rolling, metric) for metric in asked}


def _measure(rolling: Rolling, metric: PrometheusMetric) -> Measured:
    address = metric.address or rolling.prometheus
    return rolling.measure(address, metric.query) if address else _NOWHERE
