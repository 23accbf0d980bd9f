"""A promotion that is done twice at once, killed at every write, and refused by its forge in every way: one pull
request, one merge, and words that say what to do."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from gitea_door import Asked, GiteaDoor, Reply
from lone_controller import process
from lone_promotion import Cheap, cheap, controller
from team import eventually

from reconciler.adapters.kube import stream
from reconciler.engine import promotion_standing, promotion_sweep
from reconciler.model.resource import API_VERSION
from reconciler.sandbox.platform import Part, Sandbox

HOLD: dict[str, Any] = {"gates": [{"hold": True}]}
OPEN: dict[str, Any] = {"gates": [{"hold": False}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("promotion-faults")
    with Sandbox.start(folder, [Part.APISERVER, Part.GITEA], print) as sandbox:
        yield sandbox


@pytest.fixture
def lonely(server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cheap]:
    """A team that has no controller yet. One of this process looks again at what waits every 5 s, not every 15, and
    its followers look often whether to end."""
    monkeypatch.setattr(promotion_standing, "_LOOK", 5.0)
    monkeypatch.setattr(stream, "TICK", 0.05)
    with cheap(server, tmp_path) as team:
        yield team


@pytest.fixture
def door(server: Sandbox, lonely: Cheap) -> Iterator[GiteaDoor]:
    """Stands between Dispatch and the API of Gitea."""
    found = GiteaDoor(server.gitea.url)
    lonely.api_url = found.url
    yield found
    found.stop()


def test_two_controllers_without_an_election_bring_each_version_once(
    server: Sandbox, lonely: Cheap, tmp_path: Path
) -> None:
    """The commit of a version is the same whoever makes it. Gitea may open one pull request twice when it is asked
    twice in one moment: that is what the election is for."""
    with controller(server, lonely, tmp_path / "one"), controller(server, lonely, tmp_path / "two"):
        lonely.start(**OPEN)
        for number in range(2, 6):
            lonely.stage(f"shop:{number}")
            lonely.until_runs(f"shop:{number}")
    assert lonely.brought() == [f"shop:{number} to production" for number in range(2, 6)]


def test_two_controllers_of_one_lease_open_and_merge_one_pull_request_for_each_version(
    server: Sandbox, lonely: Cheap, tmp_path: Path
) -> None:
    """Also while the one that leads is told to stop and the other takes over."""
    words = ("--leader-elect-namespace", lonely.namespace)
    one, two = (process(server, lonely, made(tmp_path / name), *words) for name in ("one", "two"))
    with one as first, two:
        lonely.start(**OPEN)
        for number in range(2, 6):
            lonely.stage(f"shop:{number}")
            if number == 4:
                first.send_signal(signal.SIGTERM)
            lonely.until_runs(f"shop:{number}")
    wanted = [f"shop:{number} to production" for number in range(2, 6)]
    lonely.until_merged(wanted)
    assert lonely.brought() == wanted
    assert len(lonely.requests()) == len(wanted)


def made(folder: Path) -> Path:
    """The cache in a folder of its own, beside which the log of a controller is."""
    folder.mkdir()
    return folder / "cache"


def test_killed_after_every_single_write_a_promotion_ends_with_one_merged_pull_request(
    server: Sandbox, lonely: Cheap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes to the API server, to Git and to the forge alike."""
    monkeypatch.setattr(promotion_standing, "_LOOK", 1.0)
    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**OPEN)
        lonely.until("Current")
    wished, writes, died = [], 0, True
    while died:
        writes += 1
        image = f"shop:{writes + 1}"
        lonely.stage(image)
        wished.append(image)
        with controller(server, lonely, tmp_path / "cache", writes) as mortal:
            eventually(lambda: mortal.dead or lonely.arrived(wished[-1]))
            died = mortal.dead
        with controller(server, lonely, tmp_path / "cache"):
            eventually(lambda: lonely.arrived(wished[-1]), 60, lonely.state)
        lonely.until_merged([f"{each} to production" for each in wished], f"killed after {writes} writes")
        assert len(lonely.requests()) == len(wished), f"killed after {writes} writes"
    assert writes > 10


def test_killed_after_every_third_write_a_hotfix_goes_in_once_and_back_once(
    server: Sandbox, lonely: Cheap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the walk of a promotion, which is killed after every one."""
    monkeypatch.setattr(promotion_standing, "_LOOK", 1.0)
    with controller(server, lonely, tmp_path / "cache"):
        lonely.start("shop:1.0.0", **OPEN)
        lonely.until("Current")
    wished, writes, died = [], 0, True
    while died:
        writes += 3
        name, image = f"fix-{writes}", f"shop:1.0.{writes}"
        lonely.fix(name, image)
        with controller(server, lonely, tmp_path / "cache", writes) as mortal:
            eventually(partial(lonely.died_or_offered_back, name, mortal))
            died = mortal.dead
        with controller(server, lonely, tmp_path / "cache"):
            back = eventually(partial(lonely.offered_back, name), 60)
            lonely.host.ask("PATCH", f"/pulls/{back}", {"state": "closed"})
            eventually(partial(lonely.is_ready, name), 60)
        wished.append(f"Hotfix {image} to production")
        lonely.until_merged(wished, f"killed after {writes} writes")
        assert len(lonely.requests()) == 2 * len(wished), f"killed after {writes} writes"
    assert writes > 5


BUSY, DENIED = "ForgeUnreachable", "MergeBlocked"
ANSWERS = {
    401: (DENIED, "does not know the token: no. Renew it"),
    403: (DENIED, "does not let the token do this: no. It must be allowed to write"),
    404: (DENIED, "has no such thing: no. Check spec.url and spec.forge.apiUrl"),
    405: (DENIED, "refuses (HTTP 405): no."),
    409: (DENIED, "refuses (HTTP 409): no."),
    422: (DENIED, "refuses (HTTP 422): no."),
    429: (BUSY, "is busy or broken: no. It is tried again."),
    500: (BUSY, "is busy or broken: no. It is tried again."),
    0: (BUSY, "no answer in time"),
}
"""What is said of each answer of the forge; 0 is one that does not come in time."""


@pytest.mark.parametrize("status", ANSWERS)
def test_a_forge_that_fails_in_the_middle_is_told_and_not_pestered_and_the_promotion_goes_on(
    server: Sandbox, lonely: Cheap, door: GiteaDoor, tmp_path: Path, status: int
) -> None:
    reason, words = ANSWERS[status]

    def failing(asked: Asked) -> Reply | None:
        if not status:
            time.sleep(7)
            return None
        return Reply(status, b'{"message": "no"}', {"Content-Type": "application/json"})

    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**HOLD)
        lonely.read_repository(timeout="60s" if status else "5s")
        lonely.stage("shop:2")
        lonely.until("Open")
        well, door.before = door.before, failing
        lonely.promote(**OPEN)
        eventually(
            lambda: told(lonely)["reason"] == reason and words in told(lonely)["message"], 60, lambda: told(lonely)
        )
        asked = len(door.seen)
        time.sleep(4)
        assert len(door.seen) - asked <= 6, door.seen[asked:]
        door.before = well
        eventually(lambda: lonely.arrived("shop:2"), 60, lonely.state)
    lonely.until_merged(["shop:2 to production"])
    assert len(lonely.requests()) == 1


@pytest.mark.parametrize("status", [405, 409, 422])
def test_a_merge_that_the_forge_refuses_for_a_while_is_waited_for(
    server: Sandbox, lonely: Cheap, door: GiteaDoor, tmp_path: Path, status: int
) -> None:
    def failing(asked: Asked) -> Reply | None:
        if not asked.path.endswith("/merge"):
            return None
        return Reply(status, b'{"message": "the rules say no"}', {"Content-Type": "application/json"})

    door.before = failing
    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**OPEN)
        lonely.stage("shop:2")
        eventually(lambda: "the rules say no" in lonely.state().get("message", ""), 30, lonely.state)
        asked = len(door.seen)
        time.sleep(4)
        assert len(door.seen) - asked <= 30, door.seen[asked:]
        door.before = lambda asked: None
        eventually(lambda: lonely.arrived("shop:2"), 60, lonely.state)
    lonely.until_merged(["shop:2 to production"])


def test_a_token_that_lost_its_rights_is_named_and_goes_on_when_it_has_them_again(
    server: Sandbox, lonely: Cheap, tmp_path: Path
) -> None:
    bot = lonely.host.bot.name
    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**HOLD)
        lonely.stage("shop:2")
        lonely.until("Open")
        lonely.host.ask("PUT", f"/collaborators/{bot}", {"permission": "read"})
        lonely.promote(**OPEN)
        state = lonely.until("Failed")
        assert "credentialsRef" in state["message"], state
        lonely.host.ask("PUT", f"/collaborators/{bot}", {"permission": "write"})
        eventually(lambda: lonely.arrived("shop:2"), 60, lonely.state)
    lonely.until_merged(["shop:2 to production"])


def test_an_archived_repository_is_told_and_goes_on_when_it_is_opened_again(
    server: Sandbox, lonely: Cheap, tmp_path: Path
) -> None:
    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**HOLD)
        lonely.stage("shop:2")
        lonely.until("Open")
        lonely.host.ask("PATCH", "", {"archived": True})
        lonely.promote(**OPEN)
        eventually(lambda: "archived" in told(lonely)["message"], 60, lambda: told(lonely))
        lonely.host.ask("PATCH", "", {"archived": False})
        eventually(lambda: lonely.arrived("shop:2"), 60, lonely.state)
    lonely.until_merged(["shop:2 to production"])


def test_a_branch_that_somebody_deletes_is_told_and_comes_again_when_somebody_asks(
    server: Sandbox, lonely: Cheap, door: GiteaDoor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gitea and GitHub close the pull request with its branch, which is what a person who closes it says, too."""
    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**HOLD)
        lonely.stage("shop:2")
        lonely.until("Open")
        lonely.host.ask("DELETE", f"/branches/{quote(lonely.branch().name, safe='')}")
        lonely.promote(**OPEN)
        state = lonely.until("Rejected")
        assert "was closed without a merge" in state["message"] and "promotion again" in state["message"]
        asked = len(door.seen)
        time.sleep(4)
        assert len(door.seen) - asked <= 6, door.seen[asked:]
        assert lonely.merged() == []
        wish = {"promotion": "shop", "environment": "production", "action": "Again", "version": state["again"]}
        action = {"apiVersion": API_VERSION, "kind": "PromotionAction", "metadata": {"name": "again"}}
        lonely.apply({**action, "spec": {**wish, "by": "ada"}})
        eventually(lambda: lonely.arrived("shop:2"), 60, lonely.state)
        assert lonely.live(API_VERSION, "PromotionAction", "again") is not None
        # As after 30 days.
        monkeypatch.setattr(promotion_sweep, "KEPT", timedelta(0))
        lonely.look()
        eventually(lambda: lonely.live(API_VERSION, "PromotionAction", "again") is None, 30)
    lonely.until_merged(["shop:2 to production"])


def test_a_check_that_nobody_sets_is_waited_for_without_a_hot_loop(
    server: Sandbox, lonely: Cheap, door: GiteaDoor, tmp_path: Path
) -> None:
    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**HOLD)
        lonely.host.protect(enable_status_check=True, status_check_contexts=["ci/never"], enable_push=True)
        lonely.stage("shop:2")
        lonely.until("Open")
        lonely.promote(**OPEN)
        eventually(lambda: "required" in lonely.state()["message"].lower(), 60, lonely.state)
        asked = len(door.seen)
        time.sleep(6)
        assert len(door.seen) - asked <= 45, door.seen[asked:]
        done = {"state": "success", "context": "ci/never"}
        lonely.host.ask("POST", f"/statuses/{lonely.branch().commit}", done)
        eventually(lambda: lonely.arrived("shop:2"), 60, lonely.state)
    lonely.until_merged(["shop:2 to production"])


def told(team: Cheap) -> dict[str, Any]:
    return team.condition("shop", kind="Promotion") or {"reason": "", "message": ""}
