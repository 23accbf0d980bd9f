"""An object with a `deletionTimestamp`: on its way out, whatever its kind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from reconciler.core.health.conditions import every
from reconciler.core.health.fields import Malformed, text, texts
from reconciler.core.health.verdict import progressing, quoted
from reconciler.model.health import Health

OVERDUE = timedelta(minutes=5)

# What holds a Namespace (k8s.io/api/core/v1, NamespaceConditionType) or a definition that still has objects.
_TELLING = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
    "Terminating",
)


def assess(document: dict[str, Any], now: datetime | None) -> Health:
    """Progressing, and what holds it; past its time by more than `OVERDUE` the message says since when.

    `deletionTimestamp` is the time at which the object should be gone: a Pod's grace period is in it already.
    """
    due = text(document, "metadata", "deletionTimestamp")
    holders = [quoted(name) for name in texts(document, "metadata", "finalizers")]
    reasons = _reasons(document)
    message = "being deleted" if not _overdue(due, now) else f"being deleted, due since {quoted(due)}"
    if holders:
        message += f": waiting for the finalizer{'s' * (len(holders) > 1)} {', '.join(holders)}"
    if reasons:
        message += f" ({'; '.join(reasons)})"
    return progressing(message)


def _overdue(due: str, now: datetime | None) -> bool:
    if now is None:
        return False
    try:
        moment = datetime.fromisoformat(due)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Malformed(("metadata", "deletionTimestamp"), "a time (RFC 3339)", due)
    return now - moment > OVERDUE


def _reasons(document: dict[str, Any]) -> list[str]:
    try:
        return [quoted(one.message) for one in every(document, *_TELLING) if one.true]
    except Malformed:
        # A status of the wrong shape does not change that the object is on its way out.
        return []
