"""The conditions of a status, as kstatus reads them (sigs.k8s.io/cli-utils, status.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reconciler.model.outcome import Reason
from reconciler.model.resource import Condition, ConditionType

_LIMIT = 4096


def conditions(
    before: Iterable[Condition],
    *,
    ready: bool | None,
    reason: Reason,
    message: str,
    generation: int,
    now: datetime,
    reconciling: bool = False,
    stalled: bool = False,
) -> tuple[Condition, ...]:
    """`Ready` (None is Unknown) and, only when they hold, `Reconciling` and `Stalled`.

    A condition whose status stays keeps its time of transition, as the API conventions demand.
    """
    old = {condition.type: condition for condition in before}
    wanted = [(ConditionType.READY, {True: "True", False: "False", None: "Unknown"}[ready])]
    if reconciling:
        wanted.append((ConditionType.RECONCILING, "True"))
    if stalled:
        wanted.append((ConditionType.STALLED, "True"))
    return tuple(
        Condition(
            type=type,
            status=status,
            reason=reason,
            message=message[:_LIMIT],
            observed_generation=generation,
            last_transition_time=_since(old.get(type), status, now),
        )
        for type, status in wanted
    )


def is_ready(found: Iterable[Condition], generation: int) -> bool:
    """True when `Ready` is True for this generation."""
    return any(
        condition.type is ConditionType.READY
        and condition.status == "True"
        and condition.observed_generation >= generation
        for condition in found
    )


def _since(before: Condition | None, status: str, now: datetime) -> datetime:
    return before.last_transition_time if before is not None and before.status == status else now
