"""What the engine remembers of one Application between runs. All of it can be lost: the next run finds it again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from reconciler.engine.stages.render import Goal
from reconciler.model.identity import ObjectId
from reconciler.model.ledger import Ledger


@dataclass(slots=True)
class Memory:
    """`applied` is the digest that each object was last applied with, None until the first complete run of this
    process. `corrections` holds the times (monotonic seconds) at which a field was put back. `proposed` is what
    Git's head wants, `goal` what is applied: the same, unless that waits. `unwritten` is the ledger
    that Git refused; `merged` the pull request of a revert that was merged, with the head that Git had then.
    """

    proposed: Goal | None = None
    goal: Goal | None = None
    unwritten: Ledger | None = None
    merged: tuple[int, str] = (0, "")
    applied: dict[ObjectId, str] | None = None
    corrections: dict[tuple[ObjectId, str], deque[float]] = field(default_factory=dict)
    settled_revision: str = ""
    waiting_since: float | None = None
    failures: int = 0

    def corrected(self, object: ObjectId, path: str, now: float) -> None:
        self.corrections.setdefault((object, path), deque(maxlen=16)).append(now)

    def times(self, object: ObjectId, path: str) -> tuple[float, ...]:
        return tuple(self.corrections.get((object, path), ()))
