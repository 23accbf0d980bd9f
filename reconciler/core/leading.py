"""Which of several controllers works: one that holds a Lease, by the rules of client-go (tools/leaderelection).

The clocks of two machines are never compared. A holder counts from the moment before it asked for its last renewal, the
others from the moment after they saw the record change: so a holder has stopped (`Terms.deadline`) before anybody takes
its place (`Terms.duration`), as long as no clock runs half as fast again as another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Kubernetes' MicroTime."""
_MOMENT = 1
"""Seconds of a Lease that was given back: the API takes no 0."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds, as Kubernetes' own components have them: how long the others wait for a holder that is not heard of, how
    long a holder works without having renewed, and between two tries.
    """

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0


@dataclass(frozen=True, slots=True)
class Record:
    """What a Lease says. `holder` is empty where it was given back, `duration` is in seconds (None where none is said);
    `version` is the server's resourceVersion, another one after each write.
    """

    holder: str
    duration: float | None = None
    acquired: str = ""
    transitions: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A Lease (None: there is none), and since when, by our own clock, it has been as it is."""

    record: Record | None
    since: float


class Move(StrEnum):
    """What a controller does now."""

    CLAIM = "claim"
    RENEW = "renew"
    WAIT = "wait"
    STEP_DOWN = "step down"


def sighted(before: Sighting | None, record: Record | None, now: float) -> Sighting:
    """What is seen after a look at `now`, which is a moment after the answer came."""
    return before if before is not None and before.record == record else Sighting(record, now)


def decide(seen: Sighting, me: str, since: float | None, now: float, terms: Terms) -> Move:
    """`since` is when this controller asked for its last renewal, None while it does not lead; `me` is like no other.

    A holder that missed its deadline steps down for good, even if the Lease is still its own.
    """
    record = seen.record
    if since is not None:
        if now - since >= terms.deadline or (record is not None and record.holder != me):
            return Move.STEP_DOWN
        return Move.RENEW if record is not None else Move.CLAIM
    if record is None or record.holder in ("", me):
        return Move.CLAIM
    patience = terms.duration if record.duration is None else record.duration
    return Move.CLAIM if now - seen.since >= patience else Move.WAIT


def record_of(lease: Mapping[str, Any]) -> Record:
    """Of a document of `coordination.k8s.io/v1`; what is missing in it or strange counts as not said."""
    spec = lease.get("spec") or {}
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    return Record(
        holder=str(spec.get("holderIdentity") or ""),
        duration=float(duration) if isinstance(duration, int) and duration > 0 else None,
        acquired=str(spec.get("acquireTime") or ""),
        transitions=transitions if isinstance(transitions, int) else 0,
        version=str((lease.get("metadata") or {}).get("resourceVersion") or ""),
    )


def claimed(record: Record | None, me: str, now: datetime, terms: Terms) -> dict[str, Any]:
    """The `spec` of a Lease that is ours from now on, or goes on to be ours."""
    ours = record is not None and record.holder == me and bool(record.acquired)
    before = 0 if record is None else record.transitions
    changes = record is not None and record.holder != me
    return {
        "holderIdentity": me,
        "leaseDurationSeconds": int(terms.duration),
        "acquireTime": record.acquired if record is not None and ours else _written(now),
        "renewTime": _written(now),
        "leaseTransitions": before + 1 if changes else before,
    }


def given_back(record: Record, now: datetime) -> dict[str, Any]:
    """The `spec` of a Lease that the next one may take at once."""
    return {
        "holderIdentity": "",
        "leaseDurationSeconds": _MOMENT,
        "acquireTime": _written(now),
        "renewTime": _written(now),
        "leaseTransitions": record.transitions,
    }


def _written(now: datetime) -> str:
    return now.strftime(_TIME)
