"""What was aborted is undone by a pull request where the Repository has a forge: on a real Gitea."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gitea_town import Town
from hosted import Hosted
from rollout_fixtures import Walking
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import eventually
from walking import Metric

from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Sandbox


@pytest.fixture
def hosted(
    harbour: Sandbox, harbour_cluster: KubeCluster, walking: Walking, gitea: Sandbox, tmp_path: Path
) -> Iterator[Hosted]:
    yield Hosted(harbour_cluster, Somebody(harbour), fresh_namespace(harbour), tmp_path, Town(gitea))


def reverting(page: Metric, **more: Any) -> dict[str, Any]:
    return {"canary": {"steps": [{"weight": 50}, page.analysis()], "onFailure": "Revert", **more}}


def test_the_pull_request_is_opened_once_and_merged_by_dispatch(hosted: Hosted, page: Metric) -> None:
    hosted.start(reverting(page))
    page.value = 0.9
    second = hosted.release("2-bad")
    eventually(lambda: "shop:1" in hosted.head("shop/deployment.yaml"), 90, lambda: hosted.status("shop"))
    # Gitea moves the branch before it says that the pull request is merged.
    (request,) = eventually(lambda: [each for each in hosted.requests() if each["merged"]])
    assert len(hosted.requests()) == 1
    assert f"Dispatch-Reverts: {second}" in request["body"]
    assert request["user"]["login"] == hosted.host.bot.name
    hosted.until_stable("shop:1")
    assert hosted.status("shop")["revert"]["pullRequest"] == request["html_url"]


def test_a_protected_branch_waits_for_the_reviewer_and_users_have_the_good_version_meanwhile(
    hosted: Hosted, page: Metric
) -> None:
    hosted.start(reverting(page))
    hosted.host.protect(required_approvals=1, enable_push=True, enable_force_push=True)
    page.value = 0.9
    hosted.release("2-bad")
    state = eventually(
        lambda: (found := hosted.status("shop").get("revert") or {}).get("state") == "Open" and found,
        90,
        lambda: hosted.status("shop"),
    )
    (request,) = hosted.requests()
    assert request["state"] == "open"
    assert state["pullRequest"] == request["html_url"]
    hosted.until_pods({"shop:1"})

    hosted.host.approve(request["number"])
    eventually(lambda: "shop:1" in hosted.head("shop/deployment.yaml"), 90, lambda: hosted.status("shop"))
    hosted.until_stable("shop:1")
    assert len(hosted.requests()) == 1


def test_a_pull_request_that_a_person_closed_is_not_opened_again(hosted: Hosted, page: Metric) -> None:
    hosted.start(reverting(page, revertMerge="Manual"))
    page.value = 0.9
    hosted.release("2-bad")
    (request,) = eventually(hosted.requests, 60, lambda: hosted.status("shop"))
    hosted.host.ask("PATCH", f"/pulls/{request['number']}", {"state": "closed"})
    eventually(lambda: (hosted.status("shop").get("revert") or {}).get("state") == "Closed", 60)
    hosted.push({"other/note.txt": "x"}, "something else")
    hosted.until_pods({"shop:1"})
    assert len(hosted.requests()) == 1


def test_a_version_that_is_merged_once_more_is_undone_by_another_pull_request(hosted: Hosted, page: Metric) -> None:
    hosted.start(reverting(page))
    page.value = 0.9
    hosted.release("2-bad")
    eventually(lambda: "shop:1" in hosted.head("shop/deployment.yaml"), 90, lambda: hosted.status("shop"))
    hosted.until_stable("shop:1")
    hosted.follow_main()

    hosted.release("2-bad", settings="2")
    eventually(lambda: len([each for each in hosted.requests() if each["merged"]]) == 2, 60, hosted.requests)
    assert "shop:1" in hosted.head("shop/deployment.yaml")
    hosted.until_pods({"shop:1"})
