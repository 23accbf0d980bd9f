"""Which RolloutActions are taken away: old, answered, and of a version that is not there any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.engine.actions import Actions
from reconciler.engine.keys import Key
from reconciler.engine.progress import Progress, Rolled
from reconciler.engine.stages.sweep import KEPT, sweep
from reconciler.model.change import Resource
from reconciler.model.identity import ObjectId
from reconciler.model.rollout import Decision, Phase, RolloutSeen, Verb

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SHOP = Key("Application", "team-a", "shop")
WEB = ObjectId("argoproj.io", "Rollout", "shop", "web")


def action(name: str, pod_hash: str, age: timedelta, state: str) -> dict[str, Any]:
    made = (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "creationTimestamp": made,
        },
        "spec": {
            "application": "shop",
            "action": "Promote",
            "rollout": "web",
            "uid": "u",
            "podHash": pod_hash,
            "by": "a",
        },
        "status": {"state": state},
    }


@pytest.mark.parametrize(
    ("pod_hash", "age", "state", "goes"),
    [
        ("old", KEPT + timedelta(days=1), "Done", True),
        ("old", KEPT + timedelta(days=1), "Refused", True),
        ("old", KEPT - timedelta(days=1), "Done", False),
        ("old", KEPT + timedelta(days=1), "Pending", False),
        ("now", KEPT + timedelta(days=1), "Done", False),
    ],
)
def test_only_what_is_old_answered_and_of_another_version_goes(
    pod_hash: str, age: timedelta, state: str, goes: bool
) -> None:
    actions = Actions(lambda key: None)
    actions.observe(action("a", pod_hash, age, state))
    deleted: list[Any] = []
    cluster = SimpleNamespace(
        resource=lambda version, kind: Resource(version, kind, "rolloutactions", True), delete=deleted.extend
    )
    world: Any = SimpleNamespace(
        actions=actions, cluster=cluster, clock=SimpleNamespace(now=lambda: NOW), stopping=lambda: False
    )
    progress = Progress(SHOP)
    seen = RolloutSeen(WEB, "u", "canary", True, Phase.HEALTHY, "", "now", "now")
    progress.rolled.append(Rolled(WEB, WEB, seen, Decision(Verb.PROMOTED, "")))

    sweep(world, progress)

    assert [target[2:] for target in deleted] == ([("a", "uid-a")] if goes else [])
