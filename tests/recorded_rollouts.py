"""Objects as the controller of Argo Rollouts v1.10.0 left them on a real API server, by the name of what they show."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.core.progressive.seen import see
from reconciler.model.rollout import Asked, Limits, RolloutSeen, Wish

_FOLDER = Path(__file__).with_name("unit") / "core" / "progressive" / "recorded"
ROLLOUTS = sorted(path.stem for path in _FOLDER.glob("*.json") if not path.stem.startswith("analysisrun-"))
ROLLOUTS.remove("workload-not-yet-seen-deployment")
LIMITS = Limits(settle=10, inconclusive=1800, silent=60)


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text())
    return found


def seen(name: str, terminated: tuple[str, ...] = ()) -> RolloutSeen:
    return see(recorded(name), terminated)


def after(rollout: RolloutSeen, seconds: float = 1.0) -> datetime:
    """A moment after the last sign of the controller."""
    assert rollout.moved is not None
    return rollout.moved + timedelta(seconds=seconds)


def wish(rollout: RolloutSeen, kind: Wish, name: str = "a", **other: Any) -> Asked:
    """What a person asks who sees the Rollout as it is; `other` fields make it a wish for something else."""
    step = rollout.step if kind is Wish.PROMOTE else None
    of = {"uid": rollout.uid, "pod_hash": rollout.pod_hash, "step": step, "by": "alice", "at": after(rollout)}
    return Asked(name=name, wish=kind, **(of | other))
