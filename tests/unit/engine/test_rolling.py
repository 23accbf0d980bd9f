"""A wish and the Rollout that it was given for: the watches of both run at their own pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from recorded_rollouts import after, recorded, seen

from reconciler.engine.actions import Actions
from reconciler.engine.keys import Key
from reconciler.engine.progress import Progress
from reconciler.engine.stages.roll import roll
from reconciler.model.change import Resource
from reconciler.model.rollout import RolloutSeen
from reconciler.model.strategy import Strategy
from strategies.rollout import canary

PAUSED = seen("canary-paused")
OWNER = Key("Application", PAUSED.id.namespace, "shop")


def promote(rollout: RolloutSeen) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": OWNER.namespace, "uid": "a", "resourceVersion": "1"}
    spec = {"application": "shop", "action": "Promote", "rollout": rollout.id.name, "uid": rollout.uid, "by": "ada"}
    asked = {"podHash": rollout.pod_hash, "step": rollout.step}
    made = (after(rollout) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"metadata": metadata | {"creationTimestamp": made}, "spec": spec | asked}


class Server:
    """An API server with one Rollout, and what was written to it."""

    def __init__(self, on_read: Any = lambda: None) -> None:
        self.answers: list[dict[str, Any]] = []
        self.patched: list[Any] = []
        self._on_read = on_read

    def resource(self, version: str, kind: str) -> Resource:
        return Resource(version, kind, f"{kind.lower()}s", True)

    def read(self, *_: Any) -> dict[str, Any]:
        document = recorded("canary-paused")
        self._on_read()
        return document

    def listing(self, *_: Any) -> list[Any]:
        return []

    def patch(self, resource: Resource, namespace: str, name: str, patch: Any, subresource: str = "") -> dict[str, Any]:
        if resource.kind == "RolloutAction":
            self.answers.append(patch["status"])
            return promote(PAUSED) | {"status": patch["status"]}
        self.patched.append(patch)
        return recorded("canary-paused")


def rolled(known: RolloutSeen, server: Server, actions: Actions) -> None:
    live = SimpleNamespace(
        rollout=lambda id: known,
        beside_its_workload=lambda seen: seen,
        observe=lambda document: None,
        get=lambda id: None,
    )
    world: Any = SimpleNamespace(
        actions=actions,
        cluster=server,
        live=live,
        rolling=SimpleNamespace(strategies={"canary": canary}),
        clock=SimpleNamespace(now=lambda: after(PAUSED, 10)),
        stopping=lambda: False,
    )
    application: Any = SimpleNamespace(spec=SimpleNamespace(strategy=Strategy()))
    goal: Any = SimpleNamespace(rollouts={PAUSED.id: PAUSED.id})
    roll(world, application, goal, Progress(OWNER))


def test_a_wish_is_not_refused_because_the_watch_of_the_rollout_is_behind() -> None:
    actions, server = Actions(lambda key: None), Server()
    actions.observe(promote(PAUSED))
    for behind in (replace(PAUSED, step=0, pause=""), replace(PAUSED, pod_hash=PAUSED.stable_hash)):
        server.answers.clear()
        rolled(behind, server, actions)
        assert [answer["state"] for answer in server.answers] == ["Done"]
        actions = Actions(lambda key: None)
        actions.observe(promote(PAUSED))


def test_a_wish_that_comes_after_the_look_is_left_to_the_next_run() -> None:
    """Given for a step that this look has not seen, it would be taken for one that came too late."""
    actions = Actions(lambda key: None)
    later = replace(PAUSED, step=(PAUSED.step or 0) + 2)
    server = Server(on_read=lambda: actions.observe(promote(later)))
    rolled(PAUSED, server, actions)
    assert server.answers == []
