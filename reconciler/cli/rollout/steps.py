"""The steps of a Rollout in words, and how far it is. Blue/green has none of its own: its fixed order is told as steps.

The order of blue/green: argo-rollouts, docs/features/bluegreen.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.cli.applications import Document
from reconciler.core.health.fields import integer, items, text, value
from reconciler.model.resource import format_duration
from reconciler.model.rollout import RolloutSeen


class Reached(StrEnum):
    """How far a step is."""

    DONE = "done"
    NOW = "now"
    TODO = "todo"


@dataclass(frozen=True, slots=True)
class Step:
    """`words` say what the step does."""

    words: str
    reached: Reached


def steps(rollout: Document, seen: RolloutSeen, given: Sequence[Document]) -> tuple[Step, ...]:
    """`given` are the steps of the Application that made the Rollout's, if it did: they know more (gates)."""
    if seen.strategy == "blueGreen":
        return _blue_green(rollout, seen)
    written = items(rollout, "spec", "strategy", "canary", "steps")
    named = [words(step, given[place] if given else {}) for place, step in enumerate(written)]
    if seen.promoted:
        return tuple(Step(each, Reached.DONE) for each in named)
    at = None if seen.aborted else seen.step
    return tuple(Step(each, _reached(place, at)) for place, each in enumerate(named))


def words(step: Document, given: Document) -> str:
    """`weight 20%`, `pause 5m`, `gate: approval`. `given` is the Application's own step, empty when it has none."""
    for key, content in step.items():
        match key:
            case "setWeight":
                return f"weight {content}%"
            case "pause":
                return _pause(content or {})
            case "analysis":
                return _gate(given["gate"]) if given.get("gate") is not None else f"analysis {_templates(content)}"
            case "setHeaderRoute":
                return f"header route {value(content, 'name') or ''}".rstrip()
            case "setMirrorRoute":
                return f"mirror route {value(content, 'name') or ''}".rstrip()
            case "setCanaryScale":
                return f"scale {_scale(content)}"
            case "plugin":
                return f"plugin {value(content, 'name') or ''}".rstrip()
            case _:
                return key
    return "nothing"


def _reached(place: int, at: int | None) -> Reached:
    if at is None or place > at:
        return Reached.TODO
    return Reached.NOW if place == at else Reached.DONE


def _pause(content: Document) -> str:
    """Argo Rollouts takes a number of seconds, as a number or as text, and a duration."""
    duration = content.get("duration")
    if duration is None:
        return "pause until approved"
    return f"pause {duration}s" if str(duration).isdigit() else f"pause {duration}"


def _gate(gate: Document) -> str:
    wanted = ["approval"] if gate.get("approval") or not gate.get("healthy") else []
    healthy = gate.get("healthy")
    if healthy:
        names = ", ".join(healthy.get("applications") or ())
        duration = healthy.get("duration")
        wanted.append(f"{names} Ready" + (f" for {duration}" if duration and duration != "0s" else ""))
    return f"gate: {' and '.join(wanted)}"


def _templates(content: Any) -> str:
    return ", ".join(text(each, "templateName") for each in items(content, "templates")) or "of a template"


def _scale(content: Any) -> str:
    if value(content, "matchTrafficWeight"):
        return "with the weight"
    replicas = value(content, "replicas")
    return f"{replicas} pods" if replicas is not None else f"{value(content, 'weight')}%"


def _blue_green(rollout: Document, seen: RolloutSeen) -> tuple[Step, ...]:
    found = [(name, done or seen.promoted) for name, done in _order(rollout, seen)]
    at = None if seen.aborted else next((place for place, (_, done) in enumerate(found) if not done), len(found))
    return tuple(Step(name, _reached(place, at)) for place, (name, _) in enumerate(found))


def _order(rollout: Document, seen: RolloutSeen) -> list[tuple[str, bool]]:
    """(what, whether it is over), in order."""
    spec = value(rollout, "spec", "strategy", "blueGreen") or {}
    wanted = integer(spec, "previewReplicaCount", default=seen.replicas) or seen.replicas
    switched = bool(seen.pod_hash) and text(rollout, "status", "blueGreen", "activeSelector") == seen.pod_hash
    up = seen.updated >= wanted and (seen.available >= wanted or bool(seen.pause))
    return [
        ("pods of the new version", up or switched),
        *_judged(rollout, "prePromotionAnalysis", "analysis before the switch", switched),
        *_approval(spec, switched),
        (f"switch of {text(spec, 'activeService')}", switched),
        *_judged(rollout, "postPromotionAnalysis", "analysis after the switch", False),
    ]


def _judged(rollout: Document, field: str, title: str, over: bool) -> list[tuple[str, bool]]:
    if not value(rollout, "spec", "strategy", "blueGreen", field):
        return []
    passed = text(rollout, "status", "blueGreen", f"{field}RunStatus", "status") == "Successful"
    return [(title, over or passed)]


def _approval(spec: Document, switched: bool) -> list[tuple[str, bool]]:
    if value(spec, "autoPromotionEnabled") is False:
        return [("pause until approved", switched)]
    seconds = integer(spec, "autoPromotionSeconds")
    return [(f"pause {format_duration(seconds)}", switched)] if seconds else []
