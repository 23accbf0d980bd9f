"""A rollout for `-o json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reconciler.cli.applications import Document, entries, status
from reconciler.cli.rollout.picture import Picture


def as_value(application: Document, drawn: Sequence[Picture]) -> dict[str, Any]:
    """The Application, its Rollouts, and what its status says of versions; steps count from 0, as in Kubernetes."""
    metadata = application["metadata"]
    return {
        "ref": f"Application.dispatch.dev/{metadata.get('namespace', '')}/{metadata['name']}",
        "rollouts": [_rollout(each) for each in drawn],
        "queued": status(application, "queued"),
        "promoted": status(application, "promoted"),
        "vetoes": entries(application, "vetoes"),
        "revert": status(application, "revert"),
    }


def _rollout(picture: Picture) -> dict[str, Any]:
    seen = picture.seen
    return {
        "ref": str(picture.id),
        "uid": seen.uid,
        "strategy": seen.strategy,
        "phase": picture.phase,
        "message": seen.message,
        "podHash": seen.pod_hash,
        "stableHash": seen.stable_hash,
        "promoted": seen.promoted,
        "aborted": seen.aborted,
        "step": seen.step,
        "steps": [asdict(each) for each in picture.steps],
        "weight": picture.weight,
        "weightByPods": picture.by_pods,
        "versions": [asdict(each) for each in picture.versions],
        "analyses": [_analysis(asdict(each)) for each in picture.analyses],
        "decision": {"verb": picture.decision, "why": picture.why} if picture.decision else None,
    }


def _analysis(run: dict[str, Any]) -> dict[str, Any]:
    """Measurements are maps here, too: `asdict` leaves named tuples as they are."""
    metrics = [{**each, "last": [one._asdict() for one in each["last"]]} for each in run["metrics"]]
    return {**run, "metrics": metrics}
