"""Blue/green: the new version beside the old one, then all traffic at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.model.rollout import Asked, Decision, Limits, RolloutSeen
from strategies.rollout.blue_green_section import write
from strategies.rollout.judging import Look, judge

__all__ = ["decide", "write"]

PAUSE = "BlueGreenPause"
"""The pause before the switch (pkg/apis/rollouts/v1alpha1/types.go of Argo Rollouts)."""


def decide(seen: RolloutSeen, asked: Sequence[Asked], limits: Limits, now: datetime) -> Decision:
    """What to do about a blue/green Rollout now; `now` has a time zone. Pure, and never raises.

    The switch is released only when a person asked for it for exactly this version: there are no steps, so the wish
    has none. An abort that was asked for goes before every other wish.
    """
    return judge(Look(seen, asked, limits, now, PAUSE))
