"""The way in and out of a Rollout, on the real controller: no moment without the pods that users need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from controller_fixtures import open_cluster
from sandbox_fixtures import fresh_namespace
from shaped_folder import Document, ShapedFolder, Watchman
from somebody import Somebody
from team import eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.model.rollout import DeploymentSeen, Phase, RolloutSeen
from reconciler.sandbox.platform import Part, Sandbox

CANARY: Document = {"canary": {"steps": [{"weight": 25}, {"pause": {}}, {"weight": 50}]}}
BLUE_GREEN: Document = {"blueGreen": {"approval": True, "scaleDownDelay": "2s"}}
ROLLING: Document = {}
SERVICE: Document = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}
BOTH = pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN], ids=["canary", "blue/green"])
HASH = "rollouts-pod-template-hash"


def deployment(image: str = "web:1", replicas: int | None = 4, pods: str = "slow") -> Document:
    """Its pods become ready after a second; with `pods` unready they never do."""
    trouble = {"dispatch.dev/sandbox-pod": pods, "dispatch.dev/sandbox-delay": "1s"}
    template = {
        "metadata": {"labels": {"app": "web"}, "annotations": trouble},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@pytest.fixture(scope="module")
def server(platform: Sandbox) -> Iterator[KubeCluster]:
    opened = open_cluster(platform)
    yield opened
    opened.close()


@pytest.fixture
def folder(platform: Sandbox, server: KubeCluster) -> ShapedFolder:
    return ShapedFolder(server, fresh_namespace(platform))


def run_until(
    folder: ShapedFolder, documents: list[Document], strategy: Document, seen: Callable[[], object], within: float = 60
) -> None:
    """Runs as the controller makes them, until the cluster is so."""

    def again() -> object:
        folder.run(documents, strategy)
        time.sleep(0.2)
        return seen()

    eventually(again, within, lambda: (folder.seen(), deployed(folder)))


def deployed(folder: ShapedFolder) -> DeploymentSeen:
    found = folder.live("Deployment", folder.namespace, "web")
    assert isinstance(found, DeploymentSeen)
    return found


def walker(folder: ShapedFolder) -> RolloutSeen:
    found = folder.seen()
    assert found is not None
    return found


def carried(folder: ShapedFolder) -> bool:
    seen = folder.seen()
    done = seen is not None and seen.observed and seen.promoted and seen.phase is Phase.HEALTHY
    return done and deployed(folder).replicas == 0


def rolled(folder: ShapedFolder) -> bool:
    seen = deployed(folder)
    return folder.seen() is None and seen.available == seen.replicas > 0


def settle(folder: ShapedFolder, documents: list[Document], strategy: Document) -> None:
    """Time for what is late: pods that end, Services that are let go; and runs that must change nothing."""
    for _ in range(3):
        time.sleep(0.7)
        folder.run(documents, strategy)


@BOTH
def test_all_pods_are_there_on_the_way_in_and_on_the_way_out(folder: ShapedFolder, strategy: Document) -> None:
    documents = [deployment(), SERVICE]
    run_until(folder, documents, ROLLING, lambda: rolled(folder))
    with Watchman(folder) as watchman:
        run_until(folder, documents, strategy, lambda: carried(folder))
        settle(folder, documents, strategy)
        assert walker(folder).available == 4
        assert (HASH in folder.service_selects()) == (strategy is BLUE_GREEN)
        run_until(folder, documents, ROLLING, lambda: rolled(folder))
        settle(folder, documents, ROLLING)
    assert rolled(folder)
    last = deployed(folder)
    assert (last.candidate, last.replicas, last.updated, last.available) == ("", 4, 4, 4)
    assert folder.service_selects() == {"app": "web"}
    assert watchman.least >= 4


@BOTH
def test_an_application_that_somebody_else_had_deployed_is_taken_over_with_its_pods(
    folder: ShapedFolder, strategy: Document
) -> None:
    theirs = {**deployment(), "metadata": {"name": "web", "namespace": folder.namespace}}
    folder.cluster.create(folder.resource("apps/v1", "Deployment"), folder.namespace, theirs)
    folder.cluster.create(folder.resource("v1", "Service"), folder.namespace, SERVICE)
    deployments = folder.resource("apps/v1", "Deployment")
    eventually(lambda: _available(folder.cluster.read(deployments, folder.namespace, "web")) == 4)
    with Watchman(folder) as watchman:
        run_until(folder, [deployment(), SERVICE], strategy, lambda: carried(folder))
        settle(folder, [deployment(), SERVICE], strategy)
    assert watchman.least >= 4


def _available(document: Document | None) -> int:
    return int(((document or {}).get("status") or {}).get("availableReplicas", 0))


@BOTH
def test_a_new_application_ends_with_the_pods_of_its_rollout(folder: ShapedFolder, strategy: Document) -> None:
    run_until(folder, [deployment(), SERVICE], strategy, lambda: carried(folder))
    settle(folder, [deployment(), SERVICE], strategy)
    assert (walker(folder).available, deployed(folder).replicas) == (4, 0)


@BOTH
def test_the_way_out_in_the_middle_of_a_walk_out_keeps_the_pods(folder: ShapedFolder, strategy: Document) -> None:
    run_until(folder, [deployment(), SERVICE], strategy, lambda: carried(folder))
    newer = [deployment("web:2"), SERVICE]
    with Watchman(folder) as watchman:
        run_until(folder, newer, strategy, lambda: walker(folder).pause)
        run_until(folder, newer, ROLLING, lambda: rolled(folder))
        settle(folder, newer, ROLLING)
    # A canary and a rolling update may both lack a quarter of the pods; blue/green lacks none.
    assert watchman.least >= (4 if strategy is BLUE_GREEN else 3)


@BOTH
def test_a_change_of_mind_on_the_way_out_goes_back_in(folder: ShapedFolder, strategy: Document) -> None:
    documents = [deployment(), SERVICE]
    run_until(folder, documents, strategy, lambda: carried(folder))
    with Watchman(folder) as watchman:
        run_until(folder, documents, ROLLING, lambda: deployed(folder).replicas == 4)
        run_until(folder, documents, strategy, lambda: carried(folder))
        settle(folder, documents, strategy)
    assert watchman.least >= 4


def test_from_canary_to_blue_green_and_back(folder: ShapedFolder) -> None:
    documents = [deployment(), SERVICE]
    run_until(folder, documents, CANARY, lambda: carried(folder))
    with Watchman(folder) as watchman:
        run_until(folder, documents, BLUE_GREEN, lambda: HASH in folder.service_selects())
        settle(folder, documents, BLUE_GREEN)
        run_until(folder, documents, CANARY, lambda: HASH not in folder.service_selects())
        settle(folder, documents, CANARY)
    assert carried(folder)
    assert watchman.least >= 4


@BOTH
def test_pods_that_somebody_else_counts_are_neither_lost_nor_reset(folder: ShapedFolder, strategy: Document) -> None:
    """Git names no number: an autoscaler, or a hand, had scaled to 6, and scales to 5 later."""
    documents = [deployment(replicas=None), SERVICE]
    folder.run(documents, ROLLING)
    scale(folder, "apps/v1", "Deployment", 6)
    run_until(folder, documents, ROLLING, lambda: deployed(folder).available == 6)
    with Watchman(folder) as watchman:
        run_until(folder, documents, strategy, lambda: carried(folder))
        assert walker(folder).replicas == 6
        scale(folder, "argoproj.io/v1alpha1", "Rollout", 5)
        run_until(folder, documents, strategy, lambda: walker(folder).available == 5)
        run_until(folder, documents, ROLLING, lambda: rolled(folder))
        settle(folder, documents, ROLLING)
    assert deployed(folder).replicas == 5
    assert watchman.least >= 5


def scale(folder: ShapedFolder, api_version: str, kind: str, pods: int) -> None:
    resource = folder.resource(api_version, kind)
    answer = folder.cluster.patch(resource, folder.namespace, "web", {"spec": {"replicas": pods}}, "scale")
    assert isinstance(answer, dict), answer


@BOTH
def test_a_first_version_that_never_gets_ready_takes_no_pods_and_the_next_one_does(
    folder: ShapedFolder, strategy: Document
) -> None:
    """The controller takes the Deployment's pods for the first revision only; for a later one Dispatch does."""
    run_until(folder, [deployment(), SERVICE], ROLLING, lambda: rolled(folder))
    with Watchman(folder) as watchman:
        run_until(folder, [deployment(pods="unready"), SERVICE], strategy, lambda: folder.seen() is not None)
        settle(folder, [deployment(pods="unready"), SERVICE], strategy)
        better = [deployment("web:2"), SERVICE]

        def promoted() -> bool:
            if walker(folder).pause:
                release(folder)
            return carried(folder)

        run_until(folder, better, strategy, promoted)
        settle(folder, better, strategy)
    # The Deployment itself rolls to the bad template, and may lack a quarter of its pods for it.
    assert watchman.least >= 3


def release(folder: ShapedFolder) -> None:
    rollouts = folder.resource("argoproj.io/v1alpha1", "Rollout")
    folder.cluster.patch(rollouts, folder.namespace, "web", {"status": {"pauseConditions": None}}, "status")


def test_a_rollout_stays_while_the_controller_is_dead(platform: Sandbox, folder: ShapedFolder) -> None:
    """It has not let the active Service go: without the Rollout's pods that would select nothing."""
    documents = [deployment(), SERVICE]
    run_until(folder, documents, BLUE_GREEN, lambda: carried(folder))
    platform.kill(Part.ROLLOUTS)
    try:
        with Watchman(folder) as watchman:
            run_until(folder, documents, ROLLING, lambda: deployed(folder).available == 4)
            settle(folder, documents, ROLLING)
            assert folder.seen() is not None
            platform.restart(Part.ROLLOUTS)
            run_until(folder, documents, ROLLING, lambda: rolled(folder))
            settle(folder, documents, ROLLING)
    finally:
        platform.restart(Part.ROLLOUTS)
    assert watchman.least >= 4


def test_a_commit_that_changes_no_template_writes_nothing(folder: ShapedFolder) -> None:
    documents = [deployment(), SERVICE]
    run_until(folder, documents, CANARY, lambda: carried(folder))
    settle(folder, documents, CANARY)
    before = [folder.read(kind, "web") for kind in ("Deployment", "Rollout", "Service")]
    folder.run(documents, CANARY, commit="beef")
    after = [folder.read(kind, "web") for kind in ("Deployment", "Rollout", "Service")]
    assert before == after


@BOTH
def test_nothing_drifts_by_the_hand_of_the_controller(
    platform: Sandbox, folder: ShapedFolder, strategy: Document
) -> None:
    """On the way in, at rest, in the middle of a walk-out and on the way out. A hand that scales is seen."""
    documents, newer = [deployment(), SERVICE], [deployment("web:2"), SERVICE]
    run_until(folder, documents, ROLLING, lambda: rolled(folder))
    run_until(folder, documents, strategy, lambda: _no_drift(folder, documents, strategy) and carried(folder))
    settle(folder, documents, strategy)
    assert folder.drifts(documents, strategy) == []
    run_until(folder, newer, strategy, lambda: _no_drift(folder, newer, strategy) and walker(folder).pause)
    hand = Somebody(platform)
    hand.edits(
        folder.resource("apps/v1", "Deployment"), folder.namespace, "web", {"spec": {"replicas": 2}}, "kubectl-edit"
    )
    seen = eventually(lambda: folder.drifts(newer, strategy))
    assert [(drift.id.kind, drift.path) for drift in seen] == [("Deployment", "/spec/replicas")]
    folder.run(newer, strategy)
    assert deployed(folder).replicas == 0
    run_until(folder, newer, ROLLING, lambda: _no_drift(folder, newer, ROLLING) and rolled(folder))


def _no_drift(folder: ShapedFolder, documents: list[Document], strategy: Document) -> bool:
    """Right after a run; a stage of the hand-over may begin between the two looks, so a change of Git is none."""
    before = folder.shaped(documents, strategy)[0].state
    found = folder.drifts(documents, strategy)
    assert not found or folder.shaped(documents, strategy)[0].state != before, found
    return True
