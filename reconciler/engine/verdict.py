"""What the `Ready` condition of an Application will say."""

from __future__ import annotations

from typing import NamedTuple

from reconciler.model.outcome import Reason


class Verdict(NamedTuple):
    """What the `Ready` condition will say. `ready` None is Unknown."""

    ready: bool | None
    reason: Reason
    message: str
    reconciling: bool = False
    stalled: bool = False
