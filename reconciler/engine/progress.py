"""What one run has learnt and done so far: filled by the stages, read by the wrapper when the run ends, well or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.core.progressive.admission import Admission
from reconciler.engine.actions import Action
from reconciler.engine.keys import Key
from reconciler.model.application_status import RevertState
from reconciler.model.drift import Drift
from reconciler.model.health import Health
from reconciler.model.identity import ObjectId
from reconciler.model.ledger import Ledger
from reconciler.model.outcome import Reason, StageError
from reconciler.model.rendered import Rendered
from reconciler.model.revision import Revision
from reconciler.model.rollout import Decision, RolloutSeen


@dataclass(frozen=True, slots=True)
class Rolled:
    """One Rollout of the run: the object, what carries its pod template, what was seen, and what was decided about
    which version: the digest of the `template` that is live, and the `commit` that brought it. `carried_out` is true
    once the server has taken what was decided, `unjudged` for a version that was aborted because nobody could tell
    whether it is good.
    """

    id: ObjectId
    carrier: ObjectId
    seen: RolloutSeen
    decision: Decision
    template: str = ""
    commit: str = ""
    carried_out: bool = False
    unjudged: bool = False


class Act(NamedTuple):
    """Something that was done to a version, for the history and the event: `result` is the word of the history."""

    result: str
    reason: Reason
    text: str
    warning: bool = False


@dataclass(slots=True)
class Progress:
    """One run of one key.

    `token` is the last wish of `dispatch sync`, `asked` is true while it is not fulfilled; `write` when the run may
    change the cluster. `compared` is true once all objects were compared with Git; `pending` counts those that a Manual
    application would change; `complete` is true once every stage was applied and pruned. `look_again` is seconds until
    the next look.

    `target` is what Git names and `admission` why the run works with another `revision`, if it does. `rolled` are the
    Rollouts, `acted` what was done to them (for the history), `told` other news of them, `ledger` what Git remembers.
    `wakes` are keys that this run has given reason to look, `lifts` wishes to lift the vetoes.
    """

    key: Key
    generation: int = 0
    stage: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    token: str = ""
    asked: bool = False
    write: bool = True
    revision: Revision | None = None
    subject: str = ""
    rendered: Rendered | None = None
    objects: int = 0
    created: list[ObjectId] = field(default_factory=list)
    changed: list[ObjectId] = field(default_factory=list)
    pruned: list[ObjectId] = field(default_factory=list)
    pending: list[ObjectId] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    corrected: list[Drift] = field(default_factory=list)
    fights: list[Drift] = field(default_factory=list)
    waiting_for: list[ObjectId] = field(default_factory=list)
    health: dict[ObjectId, Health] = field(default_factory=dict)
    compared: bool = False
    complete: bool = False
    look_again: float | None = None
    admission: Admission = field(default_factory=Admission)
    target: Revision | None = None
    ledger: Ledger = field(default_factory=Ledger)
    rolled: list[Rolled] = field(default_factory=list)
    acted: list[Act] = field(default_factory=list)
    wakes: list[Key] = field(default_factory=list)
    lifts: list[Action] = field(default_factory=list)
    told: list[tuple[Reason, str]] = field(default_factory=list)
    revert: RevertState | None = None

    def soon(self, seconds: float | None) -> None:
        """Look again in so many seconds, or earlier."""
        if seconds is not None:
            self.look_again = seconds if self.look_again is None else min(self.look_again, seconds)

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """Name and time a stage; an error that leaves it is known to be of this stage."""
        self.stage = stage
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - began

    @property
    def wrote(self) -> bool:
        """True when the run changed the cluster."""
        return bool(self.created or self.changed or self.pruned)


class Abandoned(StageError):
    """The process is stopping, or may not write any more: the run ends between two writes and nothing is reported."""
