"""The analyses of the newest version, with their last measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.cli.applications import Document
from reconciler.core.health.fields import integer, items, text
from reconciler.model.rollout import RolloutSeen

_KEPT = 5
"""Measurements of a metric that are shown, the newest last."""


class Measurement(NamedTuple):
    """One answer of a metric, and what Argo Rollouts makes of it."""

    value: str
    phase: str
    at: str


@dataclass(frozen=True, slots=True)
class Metric:
    """`good`, `bad`, `unclear` and `errors` count all measurements; `last` are the newest ones."""

    name: str
    phase: str
    good: int
    bad: int
    unclear: int
    errors: int
    last: tuple[Measurement, ...]
    message: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """One AnalysisRun. `step` is the step that it belongs to, None for one of blue/green or in the background."""

    name: str
    kind: str
    step: int | None
    phase: str
    message: str
    metrics: tuple[Metric, ...]
    ended: bool


def analyses(seen: RolloutSeen, around: Sequence[Document]) -> tuple[Analysis, ...]:
    """The last run of each question about the newest version, the oldest first."""
    runs = [each for each in around if each.get("kind") == "AnalysisRun" and _belongs(each, seen)]
    runs.sort(key=lambda run: (run["metadata"].get("creationTimestamp", ""), run["metadata"]["name"]))
    newest = {(_label(run, "rollout-type"), _label(run, "step-index")): run for run in runs}
    ended = {run.name for run in seen.analyses if run.terminated}
    return tuple(_analysis(run, ended) for run in newest.values())


def _belongs(run: Document, seen: RolloutSeen) -> bool:
    owners = run["metadata"].get("ownerReferences") or ()
    owned = any(owner.get("controller") and owner.get("uid") == seen.uid for owner in owners)
    return owned and _label(run, "rollouts-pod-template-hash") == seen.pod_hash


def _label(run: Document, name: str) -> str:
    return str((run["metadata"].get("labels") or {}).get(name, ""))


def _analysis(run: Document, ended: set[str]) -> Analysis:
    step, name = _label(run, "step-index"), run["metadata"]["name"]
    return Analysis(
        name=name,
        kind=_label(run, "rollout-type"),
        step=int(step) if step.isdecimal() else None,
        phase=text(run, "status", "phase") or "Pending",
        message=text(run, "status", "message"),
        metrics=tuple(_metric(each) for each in items(run, "status", "metricResults")),
        ended=name in ended,
    )


def _metric(result: Document) -> Metric:
    measured = items(result, "measurements")[-_KEPT:]
    return Metric(
        name=text(result, "name"),
        phase=text(result, "phase"),
        good=integer(result, "successful"),
        bad=integer(result, "failed"),
        unclear=integer(result, "inconclusive"),
        errors=integer(result, "error"),
        last=tuple(_measurement(each) for each in measured),
        message=text(result, "message") or next((text(each, "message") for each in reversed(measured)), ""),
    )


def _measurement(one: Document) -> Measurement:
    """An error has no value, but a message. The value is JSON where it comes from a web metric or from Prometheus."""
    shown = text(one, "value").strip('[]"') or ("error" if text(one, "phase") == "Error" else "")
    return Measurement(shown, text(one, "phase"), text(one, "finishedAt") or text(one, "startedAt"))
