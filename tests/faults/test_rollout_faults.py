"""Versions on their way while something dies: Dispatch between any two writes, Argo Rollouts, and the gates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from controller_fixtures import administrator
from dying import DyingCluster
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually, git
from walking import Metric, Walkers

from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Part, Sandbox

STEPS = [{"weight": 50}, {"pause": {}}]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster of this module's own: its parts are killed here, and each test runs controllers of its own."""
    parts = [Part.CONTROLLERS, Part.SCHEDULER, Part.KWOK, Part.ROLLOUTS]
    with Sandbox.start(tmp_path_factory.mktemp("port"), parts, print) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def admin(port: Sandbox) -> Iterator[KubeCluster]:
    with administrator(port) as cluster:
        yield cluster


@pytest.fixture
def crew(port: Sandbox, admin: KubeCluster, tmp_path: Path) -> Walkers:
    """A team whose controller is not running yet."""
    return Walkers(admin, Somebody(port), fresh_namespace(port), tmp_path)


@pytest.fixture
def sailing(port: Sandbox, crew: Walkers, tmp_path: Path) -> Iterator[Walking]:
    """A controller for the crew's namespace."""
    controller = Walking(port, tmp_path / "cache", namespace=crew.namespace)
    controller.start()
    yield controller
    controller.stop()


def dying_after_each_write(port: Sandbox, crew: Walkers, cache: Path, done: Any, most: int = 60) -> int:
    """Controllers, one after the other, each dead after its first write; how many it took until `done()`."""
    for count in range(most):
        if done():
            return count
        controller = Walking(port, cache, dying=lambda inner: DyingCluster(inner, 1), namespace=crew.namespace)
        controller.start()
        deadline = time.monotonic() + 4
        while not controller.cluster.dead and not done() and time.monotonic() < deadline:
            time.sleep(0.02)
        controller.stop()
    raise AssertionError(f"not done by {most} controllers: {crew.status('shop')}, {crew.rollout().get('status')}")


def test_killed_after_every_single_write_a_version_is_still_walked_out_once(
    port: Sandbox, crew: Walkers, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    controller = Walking(port, cache, namespace=crew.namespace)
    controller.start()
    crew.start({"canary": {"steps": STEPS}})
    controller.stop()

    second = crew.release("2")
    paused = dying_after_each_write(port, crew, cache, lambda: crew.rollout()["status"].get("pauseConditions"))
    assert paused > 1
    wish = crew.ask("Promote", by="ada")
    dying_after_each_write(
        port, crew, cache, lambda: (found := crew.ledger().promoted) is not None and found.commit == second
    )
    dying_after_each_write(port, crew, cache, lambda: crew.condition("shop").get("status") == "True")
    assert crew.images() == {"shop:2"}
    assert crew.until_answered(wish)["state"] == "Done"
    assert crew.ledger().vetoes == ()
    assert len(ledger_entries(crew)) == 2


def test_killed_after_every_single_write_a_bad_version_is_undone_once(
    port: Sandbox, crew: Walkers, tmp_path: Path, page: Metric
) -> None:
    cache = tmp_path / "cache"
    controller = Walking(port, cache, namespace=crew.namespace)
    controller.start()
    crew.start({"canary": {"steps": [{"weight": 50}, page.analysis()], "onFailure": "Revert"}})
    controller.stop()

    page.value = 0.9
    second = crew.release("2-bad")
    dying_after_each_write(
        port, crew, cache, lambda: crew.images() == {"shop:1"} and "shop:1" in crew.head("shop/deployment.yaml")
    )
    dying_after_each_write(port, crew, cache, lambda: crew.condition("shop").get("status") == "True")
    commits = git("log", "--format=%H", f"{second}..main", at=crew.bare).split()
    assert len(commits) == 1
    assert [veto.commit for veto in crew.ledger().vetoes] == [second]


def test_argo_rollouts_dead_in_the_middle_is_told_and_nothing_is_done_twice(
    port: Sandbox, crew: Walkers, sailing: Walking
) -> None:
    crew.start({"canary": {"steps": [*STEPS, {"weight": 80}, {"pause": {}}]}})
    crew.release("2")
    crew.until_paused(1)
    port.kill(Part.ROLLOUTS)
    wish = crew.ask("Promote", by="ada")
    assert crew.until_answered(wish)["state"] == "Done"
    eventually(lambda: "silent" in crew.condition("shop").get("message", ""), 60, lambda: crew.condition("shop"))
    before = crew.rollout()["metadata"]["resourceVersion"]
    time.sleep(3)
    assert crew.rollout()["metadata"]["resourceVersion"] == before

    port.restart(Part.ROLLOUTS)
    crew.until_paused(3)
    assert crew.images() == {"shop:1", "shop:2"}


def test_while_dispatch_is_dead_its_gates_hold_and_neither_abort_nor_promote(
    port: Sandbox, crew: Walkers, sailing: Walking
) -> None:
    crew.start({"canary": {"steps": [{"weight": 50}, {"gate": {"approval": True, "interval": "1s"}}]}})
    crew.release("2")
    eventually(lambda: crew.rollout()["status"].get("currentStepIndex") == 1, 60)
    time.sleep(2)
    sailing.stop()
    time.sleep(8)
    status = crew.rollout()["status"]
    assert (status["currentStepIndex"], bool(status.get("abort"))) == (1, False)
    assert crew.images() == {"shop:1", "shop:2"}

    sailing.start()
    crew.ask("Promote", by="ada")
    crew.until_stable("shop:2")


def test_a_promotion_by_another_tool_at_the_same_time_moves_one_step_only(crew: Walkers, sailing: Walking) -> None:
    """`kubectl argo rollouts promote` and a RolloutAction race for the same pause."""
    crew.start({"canary": {"steps": [{"weight": 20}, {"pause": {}}, {"weight": 40}, {"pause": {}}]}})
    crew.release("2")
    crew.until_paused(1)
    wish = crew.ask("Promote", by="ada")
    resource = crew.resource("argoproj.io/v1alpha1", "Rollout")
    crew.somebody.edits(
        resource, crew.namespace, "shop/status", {"status": {"pauseConditions": None}}, "kubectl-argo-rollouts"
    )
    crew.until_paused(3)
    assert crew.until_answered(wish)["state"] == "Done"
    time.sleep(2)
    assert crew.rollout()["status"]["currentStepIndex"] == 3


def test_two_controllers_at_once_promote_and_write_down_once(
    port: Sandbox, crew: Walkers, sailing: Walking, tmp_path: Path
) -> None:
    other = Walking(port, tmp_path / "other", namespace=crew.namespace)
    other.start()
    try:
        crew.start({"canary": {"steps": STEPS}})
        crew.release("2")
        crew.until_paused(1)
        crew.ask("Promote", by="ada")
        crew.until_stable("shop:2")
        time.sleep(2)
        assert len(ledger_entries(crew)) == 2
    finally:
        other.stop()


def ledger_entries(crew: Walkers) -> list[str]:
    """The first lines of the ledger's commits, the newest first."""
    ref = git("for-each-ref", "--format=%(refname)", "refs/dispatch/state", at=crew.bare)
    return git("log", "--format=%s", ref, at=crew.bare).splitlines()
