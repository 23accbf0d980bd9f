"""What people say of a pull request counts for exactly what they saw, on a real Gitea."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gitea_door import Asked, GiteaDoor
from promoting import Environments
from team import config_map, eventually, git


@pytest.fixture
def door(environments: Environments) -> Iterator[GiteaDoor]:
    """Stands between Dispatch and Gitea, and counts."""
    made = GiteaDoor(environments.host.url)
    environments.api_url = made.url
    yield made
    made.stop()


def looked(environments: Environments, door: GiteaDoor) -> None:
    """Wait until Dispatch has looked once at all that was done before: the next look begins when that one has ended."""
    for _ in range(2):
        before = looks(door)
        environments.look()
        eventually(lambda before=before: looks(door) > before, 60, environments.state)  # type: ignore[misc]


def looks(door: GiteaDoor) -> int:
    """Each look begins with a search for the pull request."""
    return sum("/pulls/main/" in each.path for each in door.seen)


def merges(door: GiteaDoor) -> int:
    return sum(each.path.endswith("/merge") for each in door.writes)


def test_an_approval_is_void_after_a_commit_that_changes_nothing_and_good_again_without_it(
    environments: Environments, door: GiteaDoor
) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 2, "from": [host.reviewer.name, host.owner.name]}}])
    environments.stage("shop:2")
    state = environments.until("Open")
    approved = environments.branch()
    host.approve(state["number"])

    git("fetch", "--quiet", environments.owners_url, approved.name, at=environments.work)
    git("checkout", "--quiet", "FETCH_HEAD", at=environments.work)
    git("commit", "--quiet", "--allow-empty", "--message", "nothing", at=environments.work)
    git("push", "--quiet", environments.owners_url, f"HEAD:{approved.name}", at=environments.work)
    environments.look()
    eventually(lambda: "does not merge" in environments.state()["message"], 30, environments.state)
    host.approve(state["number"], host.owner)
    looked(environments, door)
    assert merges(door) == 0
    said = host.ask("GET", f"/commits/{environments.branch().commit}/status")["statuses"] or []
    assert [each["context"] for each in said if each["status"] == "success"] == []

    # The same commit upon the same base: what was said of it is true again, what was said of the other one is not.
    git(
        "push",
        "--quiet",
        "--force",
        environments.owners_url,
        f"{approved.commit}:{approved.name}",
        at=environments.work,
    )
    looked(environments, door)
    (gate,) = environments.state()["gates"]
    assert f"approved by {host.reviewer.name}; void, for an earlier commit: {host.owner.name}" in gate["evidence"]
    assert merges(door) == 0
    host.approve(state["number"], host.owner)
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)


def test_a_branch_that_is_set_back_to_what_was_approved_upon_an_older_base_is_made_anew(
    environments: Environments, door: GiteaDoor
) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 1, "from": [host.reviewer.name]}}, {"hold": True}])
    environments.stage("shop:2")
    state = environments.until("Open")
    older = environments.branch()
    host.approve(state["number"])
    environments.push({"production/settings.yaml": config_map("settings-production", answer="mended")}, "hotfix")
    newer = eventually(lambda: environments.branch() if environments.branch() != older else None, 30)
    assert newer is not None

    git("fetch", "--quiet", environments.owners_url, "+refs/pull/*:refs/pull/*", at=environments.work)
    git("fetch", "--quiet", environments.owners_url, older.commit, at=environments.work)
    git("push", "--quiet", "--force", environments.owners_url, f"{older.commit}:{older.name}", at=environments.work)
    environments.promote(gates=[{"approvals": {"count": 1, "from": [host.reviewer.name]}}])
    eventually(lambda: environments.branch() == newer, 30, environments.state)
    looked(environments, door)
    assert "void, for an earlier commit" in environments.state()["gates"][0]["evidence"]
    assert merges(door) == 0
    assert environments.runs("production") == "shop:1"


def test_a_push_between_the_last_look_and_the_merge_is_not_merged_and_not_tried_again(
    environments: Environments, door: GiteaDoor
) -> None:
    host = environments.host

    def write(asked: Asked) -> None:
        if asked.path.endswith("/merge") and merges(door) == 1:
            more = {"content": "eA==", "message": "late", "branch": environments.branch().name}
            host.ask("POST", "/contents/production/late.txt", more, host.reviewer)

    door.before = write
    environments.start(gates=[{"approvals": {"count": 1, "from": [host.reviewer.name]}}])
    environments.stage("shop:2")
    state = environments.until("Open")
    host.approve(state["number"])
    environments.look()
    eventually(lambda: "does not merge" in environments.state()["message"], 60, environments.state)
    looked(environments, door)
    assert merges(door) == 1
    assert not host.ask("GET", f"/pulls/{state['number']}")["merged"]
    assert environments.runs("production") == "shop:1"


def test_only_reviews_of_people_with_rights_count_and_a_comment_takes_none_back(
    environments: Environments, door: GiteaDoor
) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 1}}])
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    for text, person in (
        ("approve", host.reader),
        ("/approve", host.reviewer),
        ("> approve\n\n```\napprove\n```", None),
    ):
        said = host.ask("POST", f"/issues/{number}/comments", {"body": text}, person)
    host.ask("PATCH", f"/issues/comments/{said['id']}", {"body": "approve"})
    host.approve(number, host.reader)
    host.ask("POST", f"/pulls/{number}/reviews", {"event": "COMMENT", "body": "approve"}, host.reviewer)
    looked(environments, door)
    assert "nobody has approved" in environments.state()["gates"][0]["evidence"]
    assert merges(door) == 0

    host.approve(number)
    host.ask("POST", f"/pulls/{number}/reviews", {"event": "COMMENT", "body": "and a word more"}, host.reviewer)
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    assert not [each for each in door.seen if "comments" in each.path], "comments are not even read"


def test_who_may_not_write_any_more_has_not_approved(environments: Environments, door: GiteaDoor) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 2}}])
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    host.approve(number)
    looked(environments, door)
    assert f"approved by {host.reviewer.name}" in environments.state()["gates"][0]["evidence"]
    host.ask("DELETE", f"/collaborators/{host.reviewer.name}")
    host.approve(number, host.owner)
    looked(environments, door)
    assert f"approved by {host.owner.name}" in environments.state()["gates"][0]["evidence"]
    assert merges(door) == 0
