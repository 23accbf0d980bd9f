"""Promotions and feeds of one repository do not stand in each other's way, and come to rest, on a real Gitea."""

from __future__ import annotations

from typing import Any

import pytest
from gitea_door import GiteaDoor
from images import Store
from promoting import Environments
from team import eventually

from reconciler.engine.stages.fetch import SYNC
from reconciler.model.resource import API_VERSION


def till(environments: Environments, **production: Any) -> None:
    """The Promotion of another application of the repository."""
    there = [
        {"name": "staging", "application": "till-staging"},
        {"name": "production", "application": "till-production", "merge": "Automatic", **production},
    ]
    document = {"apiVersion": API_VERSION, "kind": "Promotion", "metadata": {"name": "till"}}
    environments.apply({**document, "spec": {"environments": there}})


def states(environments: Environments, name: str) -> dict[str, Any]:
    return next(iter(environments.status(name, "Promotion").get("environments") or []), {})


def opened(environments: Environments, image: str) -> dict[str, Any]:
    """The state of the till once a pull request is open for this image."""
    found = states(environments, "till")
    return found if (found.get("state"), found.get("images")) == ("Open", [image]) else {}


def test_two_applications_of_one_repository_are_promoted_side_by_side(environments: Environments) -> None:
    host = environments.host
    for name in ("till-staging", "till-production"):
        environments.push(environments.files(name, "till:1"))
        environments.deploy(name, name)
    environments.start(gates=[{"approvals": {"count": 2, "from": [host.reviewer.name, host.owner.name]}}])
    till(environments)
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    head = environments.branch()
    host.approve(number)

    # What is merged for the one moves the base of the other, and touches nothing of it: its approval stays good.
    environments.stage("till:2", "till-staging")
    eventually(lambda: environments.runs("till-production") == "till:2", 60, lambda: states(environments, "till"))
    environments.look()
    eventually(lambda: "approved by" in environments.state()["gates"][0]["evidence"], 30, environments.state)
    assert environments.branch() == head

    # One that cannot go on keeps nobody else back.
    till(environments, gates=[{"hold": True}])
    environments.stage("till:3", "till-staging")
    now = eventually(lambda: opened(environments, "till:3"), 60, lambda: states(environments, "till"))
    branch = environments.branch(now["number"])
    more = {"content": "eA==", "message": "by hand", "branch": branch.name}
    host.ask("POST", "/contents/till-production/extra.txt", more, host.reviewer)
    till(environments)
    eventually(lambda: "does not merge" in states(environments, "till")["message"], 60)
    host.approve(number, host.owner)
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    assert environments.runs("till-production") == "till:2"
    assert host.ask("GET", f"/pulls/{number}")["head"]["sha"] == head.commit


def test_a_feed_and_a_promotion_do_not_feed_each_other(environments: Environments, registry: str) -> None:
    store = Store(registry)
    first, second = store.push("1.0.0"), store.push("1.1.0")
    door = GiteaDoor(environments.host.url)
    environments.api_url = door.url
    environments.start(f"{store.name}:1.0.0@{first}")
    feed = {
        "image": store.name,
        "interval": "1s",
        "policy": {"semver": ">=1.0"},
        "writes": [{"repository": "config", "path": "staging"}],
    }
    environments.apply({"apiVersion": API_VERSION, "kind": "ImageFeed", "metadata": {"name": "shop"}, "spec": feed})
    eventually(lambda: environments.runs("production") == f"{store.name}:1.1.0@{second}", 60, environments.state)
    environments.until("Current")

    commits, writes = environments.host.ask("GET", "/commits?limit=50"), len(door.writes)
    for turn in range(3):
        environments.edit(API_VERSION, "ImageFeed", "shop", {"metadata": {"annotations": {SYNC: f"turn-{turn}"}}})
        eventually(lambda asked=f"turn-{turn}": environments.status("shop", "ImageFeed").get("handledSync") == asked)  # type: ignore[misc]
        # A new generation is looked at, and changes nothing.
        environments.promote(gates=[{"healthyFor": f"{turn + 1}s"}])
        eventually(environments.observed)
    # The team's own, that of the feed, that of the promotion and its merge.
    messages = [each["commit"]["message"] for each in commits]
    assert len([each for each in messages if "Dispatch-Feed:" in each]) == 1
    assert len({each for each in messages if "Dispatch-Promotion:" in each}) in (1, 2)
    assert environments.host.ask("GET", "/commits?limit=50") == commits
    assert len(door.writes) == writes
    environments.until("Current")
    door.stop()


def known_to_be_behind(environments: Environments, number: int) -> bool:
    """Gitea counts in the background: 405 once it knows, and 409 before, for no branch is at this commit. While it
    still looks at the push it says 405, too, and to try again."""
    with pytest.raises(AssertionError) as caught:
        environments.host.ask("POST", f"/pulls/{number}/merge", {"Do": "merge", "head_commit_id": "0" * 40})
    return " 405," in str(caught.value) and "Please try again later" not in str(caught.value)


def test_a_forge_that_wants_the_newest_base_gets_it(environments: Environments) -> None:
    host = environments.host
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    head = environments.branch()
    host.protect(enable_push=True, block_on_outdated_branch=True)
    environments.push({"other/note.txt": "x"}, "something else")
    eventually(lambda: known_to_be_behind(environments, number))
    environments.promote()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    found = host.ask("GET", f"/pulls/{number}")
    assert found["merged"]
    assert found["head"]["sha"] != head.commit
