"""What Argo Rollouts writes into objects that Git describes, as long as it walks a version out.

The pod hash in a Service's selector, the weights in a VirtualService, an HTTPRoute or a TrafficSplit, the replicas of a
Deployment that a Rollout refers to (argo-rollouts, docs/features/traffic-management and docs/migrating.md, which ask
Argo CD's users for an ignoreDifferences for each). To put Git's value back would move traffic in the middle of a step.
How it writes a Rollout itself back is in `spelling.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.core.authors import ROLLOUTS
from reconciler.core.managed_fields import Entry, entries, leaves
from reconciler.core.ownership import same
from reconciler.core.pointer import Path, value_at
from reconciler.core.progressive.template import ROLLOUT
from reconciler.core.spelling import left_out, spelled
from reconciler.model.change import ABSENT
from reconciler.model.identity import identify
from reconciler.model.rollout import CANDIDATE

_POD_HASH = "rollouts-pod-template-hash"
_WEIGHT = "weight"
_REPLICAS: Path = ("spec", "replicas")


def steered(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> list[tuple[Path, Any]]:
    """(path, what to send there) for each field that Git names and Argo Rollouts wrote: ABSENT, to be left out, while
    the two differ only by what Rollouts steers; with the live weights and hashes put in where Git changed something
    beside them. The replicas of a Deployment with a CANDIDATE mark are not among them: Dispatch itself hands its pods
    to a Rollout and back, and what it leaves to the controller it says by a rule (core/progressive/handover.py).

    In a Rollout it steers nothing: it writes the whole object back, in its own spelling, to count a revision.
    """
    rollout = identify(dict(wanted)).group_kind == ROLLOUT
    changes: list[tuple[Path, Any]] = [(path, ABSENT) for path in left_out(wanted, live)] if rollout else []
    ours = CANDIDATE in ((wanted.get("metadata") or {}).get("annotations") or {})
    for entry in entries(live):
        if not _steers(entry):
            continue
        for path in leaves(entry):
            if ours and path == _REPLICAS:
                continue
            value, now = value_at(wanted, path), value_at(live, path)
            if value is ABSENT or now is ABSENT or same(value, now):
                continue
            merged = spelled(value, now, path) if rollout else _merged(value, now)
            changes.append((path, ABSENT if same(merged, now) else merged))
    return changes


def _steers(entry: Entry) -> bool:
    return entry.get("manager") == ROLLOUTS and entry.get("subresource") != "status"


def _merged(wanted: Any, live: Any) -> Any:
    """The wanted value with the weights and pod hashes that are live. A plain value (the replicas of a Deployment that
    a Rollout took over) is all Rollouts', and so is a list to which it added routes of its own.
    """
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        merged = {
            name: live[name] if name in (_WEIGHT, _POD_HASH) and name in live else _merged_part(value, live, name)
            for name, value in wanted.items()
        }
        return merged | {name: live[name] for name in (_WEIGHT, _POD_HASH) if name in live}
    if isinstance(wanted, list) and isinstance(live, list):
        if len(wanted) != len(live):
            return live
        return [
            _merged(value, now) if isinstance(value, Mapping | list) else value
            for value, now in zip(wanted, live, strict=True)
        ]
    return live


def _merged_part(value: Any, live: Mapping[str, Any], name: str) -> Any:
    now = live.get(name, ABSENT)
    return _merged(value, now) if isinstance(value, Mapping | list) and isinstance(now, Mapping | list) else value
