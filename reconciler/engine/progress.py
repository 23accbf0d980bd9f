"""What one run has learnt and done so far: filled by the stages, read by the wrapper when the run ends, well or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.engine.keys import Key
from reconciler.model.drift import Drift
from reconciler.model.health import Health
from reconciler.model.identity import ObjectId
from reconciler.model.outcome import StageError
from reconciler.model.rendered import Rendered
from reconciler.model.revision import Revision


@dataclass(slots=True)
class Progress:
    """One run of one key.

    `token` is the last wish of `dispatch sync`, `asked` is true while it is not fulfilled; `write` when the run may
    change the cluster. `compared` is true once all objects were compared with Git; `pending` counts those that a Manual
    application would change; `complete` is true once every stage was applied and pruned. `look_again` is seconds until
    the next look.
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
    """The process is stopping: the run ends between two writes and nothing is reported."""
