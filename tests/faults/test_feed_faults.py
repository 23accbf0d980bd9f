"""A feed killed at the worst moments, and registries that fail: each image gets into Git once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from adapters.registry.doors import Door, Reply
from controller_fixtures import administrator
from feeding import KIND, Feeders, shop
from images import Store
from lone_controller import process
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually

from reconciler.sandbox.platform import Part, Sandbox

# The first push comes to this place and is held there until the file is gone.
_HOLD = """#!/bin/sh
touch "$GIT_DIR/reached"
while [ -e "$GIT_DIR/held" ]; do sleep 0.05; done
exit $(cat "$GIT_DIR/answer")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("feed-faults"), [Part.APISERVER], print) as sandbox:
        yield sandbox


@pytest.fixture
def lonely(server: Sandbox, registry: str, tmp_path: Path) -> Iterator[Feeders]:
    """A team with 1.0.0 in Git and 1.1.0 in the registry, whose controller is not running yet."""
    with administrator(server) as cluster:
        team = Feeders(cluster, Somebody(server), fresh_namespace(server), tmp_path)
        team.store = Store(registry)
        team.store.push("1.1.0")
        team.push({"shop/shop.yaml": shop(f"{team.store.name}:1.0.0")}, "by hand")
        yield team


@pytest.mark.parametrize("arrives", [False, True])
def test_killed_between_the_commit_and_the_push_the_image_is_written_once(
    server: Sandbox, lonely: Feeders, tmp_path: Path, arrives: bool
) -> None:
    """kill -9 while the push is under way: it is lost, or it arrives although nobody hears of it."""
    hook = lonely.bare / "hooks" / "pre-receive"
    hook.write_text(_HOLD)
    hook.chmod(0o755)
    (lonely.bare / "held").touch()
    (lonely.bare / "answer").write_text("0" if arrives else "1")
    lonely.read_repository()
    lonely.feed()
    with process(server, lonely, tmp_path / "cache") as running:
        eventually((lonely.bare / "reached").exists, 30)
        os.kill(running.pid, signal.SIGKILL)
        running.wait(10)
    (lonely.bare / "held").unlink()
    time.sleep(1)
    hook.unlink()
    with process(server, lonely, tmp_path / "cache"):
        lonely.until_write("Current", "1.1.0")
    assert len(lonely.commits()) == 2


def test_killed_after_every_single_write_the_image_is_written_once(
    server: Sandbox, lonely: Feeders, tmp_path: Path
) -> None:
    from dying import DyingCluster

    lonely.read_repository()
    lonely.feed()
    for writes in range(1, 6):
        dying = Walking(server, tmp_path / "cache", partial(DyingCluster, writes=writes), lonely.namespace)
        dying.start()
        eventually(partial(_dead_or_written, dying, lonely), 20)
        time.sleep(0.5)
        dying.stop()
    last = Walking(server, tmp_path / "cache", namespace=lonely.namespace)
    last.start()
    lonely.until_write("Current", "1.1.0")
    assert last.stop()
    assert len(lonely.commits()) == 2


def _dead_or_written(dying: Walking, team: Feeders) -> object:
    return dying.cluster.dead or team.fed().get("writes")


def test_two_controllers_at_once_write_once(server: Sandbox, lonely: Feeders, tmp_path: Path) -> None:
    lonely.read_repository()
    lonely.feed()
    both = [Walking(server, tmp_path / f"cache-{number}", namespace=lonely.namespace) for number in range(2)]
    for each in both:
        each.start()
    lonely.until_write("Current", "1.1.0")
    lonely.store.push("1.2.0")
    lonely.until_write("Current", "1.2.0")
    for each in both:
        assert each.stop()
    assert lonely.commits()[2:] == ["by hand"]


def test_a_registry_that_fails_takes_nothing_back_and_is_told(
    server: Sandbox, lonely: Feeders, registry: str, tmp_path: Path
) -> None:
    trouble: list[Reply] = []
    door = Door(registry, lambda asked: trouble[0] if trouble else None)
    image = f"{door.host}/{lonely.store.repository}"
    lonely.push({"shop/shop.yaml": shop(f"{image}:1.0.0")}, "by the door")
    lonely.read_repository()
    lonely.feed(image=image)
    controller = Walking(server, tmp_path / "cache", namespace=lonely.namespace)
    controller.start()
    try:
        lonely.until_write("Current", "1.1.0")
        for status, reason in ((500, "RegistryUnreachable"), (403, "RegistryDenied"), (404, "ImageNotFound")):
            trouble[:] = [Reply(status)]
            assert door.host in lonely.until_reason("shop", reason, kind=KIND)
            assert lonely.fed()["writes"][0]["state"] == "Current"
        trouble[:] = [Reply(200, {"Content-Type": "application/json"}, b'{"tags": []}')]
        lonely.until_reason("shop", "ReconciliationSucceeded", kind=KIND)
        assert ":1.1.0@" in lonely.main("shop/shop.yaml")
        trouble.clear()
        lonely.store.push("1.2.0")
        lonely.until_write("Current", "1.2.0")
    finally:
        assert controller.stop()
        door.stop()
    assert len(lonely.commits()) == 4
