"""A wish and the Rollout that it was given for: the watches of both run at their own pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from recorded_rollouts import after, recorded, seen

from reconciler.engine.actions import Actions
from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.engine.progress import Progress
from reconciler.engine.stages.roll import roll
from reconciler.model.change import Resource
from reconciler.model.rollout import RolloutSeen
from reconciler.model.strategy import Strategy
from strategies.gates import judge
from strategies.gates.earliest import earliest
from strategies.rollout import canary

PAUSED = seen("canary-paused")
OWNER = Key("Application", PAUSED.id.namespace, "shop")


def promote(rollout: RolloutSeen, action: str = "Promote") -> dict[str, Any]:
    metadata = {"name": "a", "namespace": OWNER.namespace, "uid": "a", "resourceVersion": "1"}
    spec = {"application": "shop", "action": action, "rollout": rollout.id.name, "uid": rollout.uid, "by": "ada"}
    asked = {"podHash": rollout.pod_hash} | ({"step": rollout.step} if action == "Promote" else {})
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
            answered = promote(PAUSED)
            answered["metadata"]["resourceVersion"] = str(1 + len(self.answers))
            return answered | {"status": patch["status"]}
        self.patched.append(patch)
        return recorded("canary-paused")


def rolled(
    known: RolloutSeen, server: Server, actions: Actions, catalog: Catalog | None = None, now: datetime | None = None
) -> Progress:
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
        rolling=SimpleNamespace(strategies={"canary": canary}, gatekeeper=judge, forecast=earliest),
        catalog=catalog or Catalog(lambda key: None),
        clock=SimpleNamespace(now=lambda: now or after(PAUSED, 10)),
        stopping=lambda: False,
    )
    application: Any = SimpleNamespace(
        spec=SimpleNamespace(strategy=Strategy()),
        metadata=SimpleNamespace(namespace=OWNER.namespace, name=OWNER.name),
        status=SimpleNamespace(promoted=None),
    )
    goal: Any = SimpleNamespace(rollouts={PAUSED.id: PAUSED.id})
    progress = Progress(OWNER)
    roll(world, application, goal, progress)
    return progress


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


def frozen(start: datetime, minutes: int) -> Catalog:
    """A Promotion of which the Application is one of two that are production, with a freeze from that minute on."""
    freeze = {"start": f"{start:%M %H} * * *", "duration": f"{minutes}m", "reason": "a sale"}
    environments = [
        {"name": "staging", "applications": ["shop-staging", "worker-staging"]},
        {"name": "production", "applications": ["shop", "worker"], "gates": [{"freeze": freeze}]},
    ]
    catalog = Catalog(lambda key: None)
    catalog.observe(
        {
            "apiVersion": "dispatch.dev/v1alpha1",
            "kind": "Promotion",
            "metadata": {"name": "shop", "namespace": OWNER.namespace, "resourceVersion": "1"},
            "spec": {"environments": environments},
        }
    )
    return catalog


def test_a_wish_in_a_freeze_is_kept_and_told_once_and_carried_out_when_it_ends() -> None:
    asked = after(PAUSED, 1)
    catalog, actions, server = frozen(asked, 30), Actions(lambda key: None), Server()
    actions.observe(promote(PAUSED))
    for _ in range(2):
        progress = rolled(PAUSED, server, actions, catalog)
        assert [answer["state"] for answer in server.answers] == ["Pending"]
        assert "frozen until" in server.answers[0]["message"] and "(a sale)" in server.answers[0]["message"]
        assert server.patched == []
        assert progress.rolled[0].decision.held == server.answers[0]["message"]
        assert progress.look_again is not None and progress.look_again <= 60

    rolled(PAUSED, server, actions, catalog, now=asked + timedelta(minutes=31))
    assert [answer["state"] for answer in server.answers] == ["Pending", "Done"]
    assert len(server.patched) == 1


def test_an_abort_is_not_held_by_a_freeze() -> None:
    catalog, actions, server = frozen(after(PAUSED, 1), 30), Actions(lambda key: None), Server()
    actions.observe(promote(PAUSED, "Abort"))
    rolled(PAUSED, server, actions, catalog)
    assert [answer["state"] for answer in server.answers] == ["Done"]
    assert len(server.patched) == 1
