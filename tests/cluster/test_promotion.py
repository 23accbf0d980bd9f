"""What is proven in staging becomes a pull request to production, on a real Gitea."""

from __future__ import annotations

import json
import time

from notified import notify, until_told
from promoting import Environments
from slack_double import slack_workspace
from team import config_map, deployment, eventually


def test_a_version_that_staging_has_proven_reaches_production_by_itself(environments: Environments) -> None:
    environments.start(gates=[{"healthyFor": "2s"}])
    assert environments.until("Current")["message"] == "has what staging runs"
    environments.stage("shop:2")
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    (request,) = eventually(lambda: [each for each in environments.requests() if each["merged"]])
    assert request["title"] == "shop:2 to production"
    assert "| `shop` | `1` | `2` |" in request["body"]
    assert "+        image: shop:2" in request["body"] or "+      - image: shop:2" in request["body"]
    assert "hunter2" not in request["body"]
    environments.until("Current")
    assert environments.head("production/web.yaml") == deployment("web-production", "shop:2").rstrip()


def test_a_closed_gate_keeps_the_pull_request_open_and_says_why(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    state = environments.until("Open")
    assert "stopped by hand" in state["message"]
    time.sleep(2)
    assert environments.runs("production") == "shop:1"

    environments.promote(gates=[{"hold": False}])
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)


def test_the_right_people_approve_exactly_what_is_merged(environments: Environments) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 1, "from": [host.reviewer.name]}}, {"checks": ["ci/build"]}])
    environments.stage("shop:2")
    state = environments.until("Open")
    host.approve(state["number"], host.owner)
    host.approve(state["number"])
    eventually(lambda: [each["verdict"] for each in environments.state()["gates"]] == ["pass", "wait"], 60)

    environments.push({"production/settings.yaml": config_map("settings-production", answer="mended")}, "hotfix")
    eventually(lambda: "void, for an earlier commit" in environments.state()["gates"][0]["evidence"], 60)
    assert environments.runs("production") == "shop:1"

    head = environments.state()["head"]
    host.approve(state["number"])
    host.ask("POST", f"/statuses/{head}", {"context": "ci/build", "state": "success"}, host.owner)
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    told = {each["context"]: each["status"] for each in host.ask("GET", f"/commits/{head}/status")["statuses"]}
    assert told["dispatch/approvals"] == told["dispatch/checks"] == "success"


def test_a_person_merges_where_the_policy_says_so(environments: Environments) -> None:
    environments.start(merge="Manual")
    environments.stage("shop:2")
    state = environments.until("Open")
    assert "waits for a person" in state["message"]
    time.sleep(2)
    environments.host.merge(state["number"])
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    environments.until("Current")


def test_what_a_person_closed_is_not_proposed_again_and_a_newer_version_is(environments: Environments) -> None:
    environments.start(merge="Manual")
    environments.stage("shop:2")
    state = environments.until("Open")
    environments.host.ask("PATCH", f"/pulls/{state['number']}", {"state": "closed"})
    environments.until("Rejected", within=60)
    environments.push({"other/note.txt": "x"}, "something else")
    time.sleep(2)
    assert len(environments.requests()) == 1

    environments.stage("shop:3")
    environments.until("Open")
    assert [each["title"] for each in environments.requests()] == ["shop:3 to production", "shop:2 to production"]


def test_a_newer_version_supersedes_the_open_pull_request(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    first = environments.until("Open")
    environments.stage("shop:3")
    second = environments.until("Open", images=["shop:3"])
    assert second["number"] != first["number"]
    states = {each["number"]: each["state"] for each in environments.requests()}
    assert states == {first["number"]: "closed", second["number"]: "open"}


def test_what_staging_takes_back_is_withdrawn(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    first = environments.until("Open")
    environments.stage("shop:1")
    environments.until("Current")
    eventually(lambda: environments.host.ask("GET", f"/pulls/{first['number']}")["state"] == "closed")


def test_a_newer_version_waits_its_turn_where_the_policy_says_so(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}], inFlight="Queue")
    environments.stage("shop:2")
    first = environments.until("Open")
    environments.stage("shop:3")
    eventually(lambda: "waits until" in environments.state().get("message", ""), 60, environments.state)
    assert [each["number"] for each in environments.requests()] == [first["number"]]


def test_a_mend_of_production_in_between_is_kept_and_the_branch_is_made_anew(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    state = environments.until("Open")
    before = environments.host.ask("GET", f"/pulls/{state['number']}")["head"]["sha"]
    environments.push({"production/settings.yaml": config_map("settings-production", answer="mended")}, "hotfix")
    eventually(lambda: environments.host.ask("GET", f"/pulls/{state['number']}")["head"]["sha"] != before, 60)

    environments.promote()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    assert "mended" in environments.head("production/settings.yaml")


def test_what_somebody_wrote_to_the_branch_is_not_merged(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    state = environments.until("Open")
    branch = environments.host.ask("GET", f"/pulls/{state['number']}")["head"]["ref"]
    content = {"content": "eA==", "message": "by hand", "branch": branch}
    environments.host.ask("POST", "/contents/production/extra.txt", content, environments.host.reviewer)

    environments.promote()
    eventually(lambda: "does not merge" in environments.state().get("message", ""), 60, environments.state)
    time.sleep(2)
    assert environments.runs("production") == "shop:1"


def test_files_are_carried_as_they_are(environments: Environments) -> None:
    environments.start(carry={"paths": ["dashboards"]})
    environments.push({"staging/dashboards/shop.txt": "two panels"}, "a dashboard")
    environments.stage("shop:2")
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    environments.until("Current")
    assert environments.head("production/dashboards/shop.txt") == "two panels"


def test_a_release_that_waits_is_told_with_its_images_its_open_gates_and_who_may_approve(
    environments: Environments,
) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 1, "from": [host.reviewer.name]}}])
    with slack_workspace() as slack:
        notify(environments, slack, events=["CandidateReady"])
        environments.stage("shop:2")
        message = until_told(environments, slack, "is ready for production", within=60)
        said = json.dumps(message["blocks"])
        assert "shop" in said and "open gate: " in said
        assert f"may be approved by {host.reviewer.name}" in said
        environments.promote(gates=[{"hold": False}])
        merged = until_told(environments, slack, "was merged for production", within=60)
        assert merged["ts"] == message["ts"]
        assert len(slack.texts()) == 1
