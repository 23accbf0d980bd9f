"""`dispatch sync`: a deployment that is asked for, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from command_line import application, dispatch, put, ready, repository
from team import Team, config_map

from reconciler.adapters.kube.cluster import KubeCluster
from reconciler.model.change import Refusal

REVISION = "main@sha1:0123456789abcdef0123456789abcdef01234567"
SYNC = "dispatch.dev/sync"
SYNC_REVISION = "dispatch.dev/sync-revision"
DONE = [ready("True", "ReconciliationSucceeded", f"applied {REVISION}")]


def annotations_of(live: KubeCluster, kind: str, namespace: str, name: str) -> dict[str, str]:
    resource = live.resource("dispatch.dev/v1alpha1", kind)
    assert resource is not None
    document = live.read(resource, namespace, name)
    assert document is not None
    return document["metadata"].get("annotations") or {}


Answers = Callable[[str], list[dict[str, Any]]]


@contextmanager
def answering(live: KubeCluster, namespace: str, name: str, answers: Answers) -> Iterator[None]:
    """Somebody who writes statuses, one after the other, once a sync has been asked for."""
    resource = live.resource("dispatch.dev/v1alpha1", "Application")
    assert resource is not None
    stop = threading.Event()

    def answer() -> None:
        while not stop.wait(0.02):
            token = annotations_of(live, "Application", namespace, name).get(SYNC)
            if token is None:
                continue
            for status in answers(token):
                written = live.patch(resource, namespace, name, {"status": status}, "status")
                assert not isinstance(written, Refusal), written
                stop.wait(1.0)
            return

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_the_wish_is_on_the_application_and_its_repository(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    put(live, [application("shop", namespace), repository("config", namespace)])

    ran = dispatch("sync", "shop", *access, "--no-wait")

    assert ran == (0, f"asked for a sync of {namespace}/shop\n", "")
    token = annotations_of(live, "Application", namespace, "shop")[SYNC]
    assert annotations_of(live, "Repository", namespace, "config")[SYNC] == token


def test_each_wish_is_a_new_one(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace), repository("config", namespace)])

    dispatch("sync", "shop", *access, "--no-wait")
    first = annotations_of(live, "Application", namespace, "shop")[SYNC]
    dispatch("sync", "shop", *access, "--no-wait")

    assert annotations_of(live, "Application", namespace, "shop")[SYNC] > first


def test_each_new_state_is_a_line_until_it_is_ready(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace), repository("config", namespace)])

    def answers(token: str) -> list[dict[str, Any]]:
        waiting = ready("Unknown", "Progressing", "1 of 2 are ready")
        state = {"sync": "Synced", "health": "Progressing", "handledSync": token, "conditions": [waiting]}
        done = {
            "health": "Healthy",
            "conditions": DONE,
            "applied": {"revision": REVISION, "at": "2026-11-23T15:00:00Z"},
        }
        return [state, done]

    with answering(live, namespace, "shop", answers):
        ran = dispatch("sync", "shop", *access, "--timeout", "30s")

    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert lines[0] == f"asked for a sync of {namespace}/shop"
    assert lines[-2] == f"{namespace}/shop: Synced, Progressing: Progressing: 1 of 2 are ready"
    assert lines[-1] == f"{namespace}/shop: Synced, Healthy at main@0123456789"


def test_a_failure_is_told_and_exit_code_1(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace), repository("config", namespace)])

    def answers(token: str) -> list[dict[str, Any]]:
        failed = ready("False", "RenderFailed", "apps/shop/web.yaml:3: no such field")
        return [{"handledSync": token, "conditions": [failed, {**failed, "type": "Stalled", "status": "True"}]}]

    with answering(live, namespace, "shop", answers):
        ran = dispatch("sync", "shop", *access, "--timeout", "30s")

    assert ran.code == 1
    assert ran.err == f"{namespace}/shop failed: Unknown, Unknown: RenderFailed: apps/shop/web.yaml:3: no such field\n"


def test_the_time_over_is_exit_code_1_and_names_the_missing_controller(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    put(live, [application("shop", namespace), repository("config", namespace)])

    ran = dispatch("sync", "shop", *access, "--timeout", "1s")

    assert ran.code == 1
    assert "is not Ready in time; last: waiting for the controller." in ran.err
    assert "is `dispatch run` running" in ran.err


def test_a_revision_is_for_manual_applications(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace), repository("config", namespace)])

    ran = dispatch("sync", "shop", *access, "--revision", "v1", "--no-wait")

    assert (ran.code, ran.out) == (2, "")
    assert f"Application {namespace}/shop is Automatic" in ran.err
    assert "spec.sync.mode to Manual" in ran.err
    assert SYNC not in annotations_of(live, "Application", namespace, "shop")
    assert SYNC not in annotations_of(live, "Repository", namespace, "config")


def test_a_manual_application_goes_to_a_revision_and_back(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    put(live, [application("shop", namespace, sync={"mode": "Manual"}), repository("config", namespace)])

    dispatch("sync", "shop", *access, "--revision", "v1", "--no-wait")
    asked = annotations_of(live, "Application", namespace, "shop")
    dispatch("sync", "shop", *access, "--no-wait")
    back = annotations_of(live, "Application", namespace, "shop")

    assert asked[SYNC_REVISION] == "v1"
    assert SYNC_REVISION not in back


def test_a_missing_repository_is_said_and_the_wish_stays(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    put(live, [application("shop", namespace)])

    ran = dispatch("sync", "shop", *access, "--no-wait")

    assert ran.code == 0
    assert ran.err.startswith("the remote is asked at its next interval only: Repository ")
    assert SYNC in annotations_of(live, "Application", namespace, "shop")


def test_an_application_that_is_not_there(access: tuple[str, ...]) -> None:
    assert dispatch("sync", "shop", *access).code == 2


@pytest.mark.parametrize("wrong", ["5", "soon", "-1s"])
def test_a_time_needs_a_unit(access: tuple[str, ...], wrong: str) -> None:
    ran = dispatch("sync", "shop", *access, "--timeout", wrong)

    assert ran.code == 2
    assert "is not a duration: write a number with a unit" in ran.err


def test_the_controller_carries_it_out(team: Team, town: Any) -> None:
    """End to end: a Manual application is deployed by hand, at the revision that is asked for."""
    first = team.push({"apps/shop/settings.yaml": config_map("settings", answer="1")})
    team.read_repository(interval="1h")
    team.deploy("shop", "apps/shop", sync={"mode": "Manual"})
    team.push({"apps/shop/settings.yaml": config_map("settings", answer="2")})

    ran = dispatch(*("sync", "shop", "--revision", first, "-n", team.namespace, "--kubeconfig", town.home.kubeconfig))

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"{team.namespace}/shop: Synced, Healthy at {first[:10]}"
    settings = team.live("v1", "ConfigMap", "settings")
    assert settings is not None
    assert settings["data"] == {"answer": "1"}
