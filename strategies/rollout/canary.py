"""Canary: a share of the pods (or of the traffic) first, then more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.model.rollout import Asked, Decision, Limits, RolloutSeen
from strategies.rollout.canary_section import write
from strategies.rollout.judging import Look, judge

__all__ = ["decide", "write"]

PAUSE = "CanaryPauseStep"
"""The pause of a step `pause` (pkg/apis/rollouts/v1alpha1/types.go of Argo Rollouts)."""


def decide(seen: RolloutSeen, asked: Sequence[Asked], limits: Limits, now: datetime) -> Decision:
    """What to do about a canary now; `now` has a time zone. Pure, and never raises.

    A step is released only when a person asked for exactly this step of exactly this version, one at a time. An abort
    that was asked for goes before every other wish.
    """
    return judge(Look(seen, asked, limits, now, PAUSE))
