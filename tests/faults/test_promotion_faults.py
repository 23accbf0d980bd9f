"""A promotion that is done twice at once, killed at every write, and refused by its forge in every way: one pull
request, one merge, and words that say what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gitea_door import Asked, GiteaDoor
from lone_promotion import Cheap, cheap, controller
from team import eventually

from reconciler.sandbox.platform import Part, Sandbox

HOLD: dict[str, Any] = {"gates": [{"hold": True}]}
OPEN: dict[str, Any] = {"gates": [{"hold": False}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("promotion-faults")
    with Sandbox.start(folder, [Part.APISERVER, Part.GITEA], print) as sandbox:
        yield sandbox


@pytest.fixture
def lonely(server: Sandbox, tmp_path: Path) -> Iterator[Cheap]:
    with cheap(server, tmp_path) as team:
        yield team


@pytest.fixture
def door(server: Sandbox, lonely: Cheap) -> Iterator[GiteaDoor]:
    """Stands between Dispatch and the API of Gitea."""
    found = GiteaDoor(server.gitea.url)
    lonely.api_url = found.url
    yield found
    found.stop()


def test_two_controllers_without_an_election_make_one_pull_request_and_one_merge_of_each_version(
    server: Sandbox, lonely: Cheap, tmp_path: Path
) -> None:
    with controller(server, lonely, tmp_path / "one"), controller(server, lonely, tmp_path / "two"):
        lonely.start(**OPEN)
        for number in range(2, 6):
            lonely.stage(f"shop:{number}")
            lonely.until_runs(f"shop:{number}")
        lonely.promote(**HOLD)
        lonely.stage("shop:6")
        lonely.until("Open")
        time.sleep(2)
        assert [each["state"] for each in lonely.requests()].count("open") == 1
        lonely.promote(**OPEN)
        lonely.until_runs("shop:6")
    wanted = [f"shop:{number} to production" for number in range(2, 7)]
    assert lonely.merged() == wanted
    assert len(lonely.requests()) == len(wanted)
    assert len(lonely.branches()) == len(set(lonely.branches()))


def test_what_another_controller_opened_and_merged_between_two_requests_is_not_opened_again(
    server: Sandbox, lonely: Cheap, door: GiteaDoor, tmp_path: Path
) -> None:
    """The branch is pushed; the other one was faster by a whole promotion, and the push has brought its branch back."""
    opened: list[Asked] = []

    def faster(asked: Asked) -> None:
        if asked.method == "POST" and asked.path.endswith("/pulls") and not opened:
            opened.append(asked)
            (branch,) = [each for each in lonely.host.ask("GET", "/branches") if each["name"].startswith("dispatch/")]
            bot = lonely.host.bot
            wanted = {"head": branch["name"], "base": "main", "title": "shop:2 to production"}
            number = lonely.host.ask("POST", "/pulls", wanted, bot)["number"]
            way = {"Do": "merge", "head_commit_id": branch["commit"]["id"], "delete_branch_after_merge": True}
            eventually(lambda: merge(lonely, number, way))
            made = {"new_branch_name": branch["name"], "old_ref_name": branch["commit"]["id"]}
            lonely.host.ask("POST", "/branches", made, bot)

    with controller(server, lonely, tmp_path / "cache"):
        lonely.start(**OPEN)
        lonely.until("Current")
        door.before = faster
        lonely.stage("shop:2")
        lonely.until_runs("shop:2")
        lonely.until("Current")
    assert opened
    assert lonely.merged() == ["shop:2 to production"]
    assert len(lonely.requests()) == 1


def merge(team: Cheap, number: int, way: dict[str, Any]) -> bool:
    """False while Gitea still looks whether it can."""
    try:
        team.host.ask("POST", f"/pulls/{number}/merge", way, team.host.bot)
    except AssertionError:
        return False
    return True


def test_killed_after_every_single_write_a_promotion_ends_with_one_merged_pull_request(
    server: Sandbox, lonely: Cheap, tmp_path: Path
) -> None:
    """Writes to the API server, to Git and to the forge alike."""
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
        assert lonely.merged() == [f"{each} to production" for each in wished], f"killed after {writes} writes"
        assert len(lonely.requests()) == len(wished), f"killed after {writes} writes"
    assert writes > 10
