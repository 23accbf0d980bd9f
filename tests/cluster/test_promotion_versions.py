"""Which version is proposed when there are more than one, and what people said of the others, on a real Gitea."""

from __future__ import annotations

from typing import Any

from promoting import Environments
from team import deployment, eventually

OF_A, OF_B = f"shop:2@sha256:{'a' * 64}", f"shop:2@sha256:{'b' * 64}"

LEFT = "{} of staging is older than what runs here: only `carry.older` takes it back"


def request(environments: Environments, number: int) -> dict[str, Any]:
    found: dict[str, Any] = environments.host.ask("GET", f"/pulls/{number}")
    return found


def test_what_a_person_closed_and_opens_again_goes_on(environments: Environments) -> None:
    environments.start(gates=[{"hold": True}])
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    environments.host.ask("PATCH", f"/pulls/{number}", {"state": "closed"})
    environments.look()
    environments.until("Rejected")
    environments.promote()
    environments.look()
    eventually(lambda: environments.observed() and environments.state()["gates"] == [], 30, environments.state)
    assert environments.state()["state"] == "Rejected"
    assert [each["state"] for each in environments.requests()] == ["closed"]

    environments.host.ask("PATCH", f"/pulls/{number}", {"state": "open"})
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    assert [each["number"] for each in environments.requests()] == [number]


def test_a_moved_tag_is_another_version_and_what_gave_way_to_it_may_come_again(environments: Environments) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 2, "from": [host.reviewer.name, host.owner.name]}}])
    environments.stage(OF_A)
    first = environments.until("Open")["number"]
    host.approve(first)
    environments.look()
    eventually(lambda: "approved by" in environments.state()["gates"][0]["evidence"], 30, environments.state)

    environments.stage(OF_B)
    second = environments.until("Open", images=[OF_B])
    assert "nobody has approved" in second["gates"][0]["evidence"]
    assert "| `shop` | `1` | `2@sha256:bbbbbbbbbbbb` |" in request(environments, second["number"])["body"]
    assert request(environments, first)["state"] == "closed"
    assert request(environments, first)["title"] == "Superseded: shop:2 to production"

    environments.stage(OF_A)
    third = environments.until("Open", images=[OF_A])
    assert "nobody has approved" in third["gates"][0]["evidence"]
    states = {each["number"]: each["state"] for each in environments.requests()}
    assert states == {first: "closed", second["number"]: "closed", third["number"]: "open"}


def test_a_mend_of_the_very_line_is_shown_and_approved_anew(environments: Environments) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 2, "from": [host.reviewer.name, host.owner.name]}}])
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    before = environments.branch()
    host.approve(number)
    environments.push({"production/web.yaml": deployment("web-production", "shop:1-mended")}, "hotfix")
    eventually(lambda: environments.branch().commit != before.commit, 30, environments.state)
    environments.until("Open", head=environments.branch().commit)
    assert "void, for an earlier commit" in environments.state()["gates"][0]["evidence"]
    assert "| `shop` | `1-mended` | `2` |" in request(environments, number)["body"]
    assert environments.head("production/web.yaml") == deployment("web-production", "shop:1-mended").rstrip()
    for person in (host.reviewer, host.owner):
        host.approve(number, person)
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)


def test_a_promotion_takes_nothing_back_unless_it_may(environments: Environments) -> None:
    environments.start("shop:2.0.0")
    environments.push({"production/web.yaml": deployment("web-production", "shop:2.0.1")}, "hotfix")
    environments.until("Current", message=LEFT.format("shop:2.0.0"))
    environments.stage("shop:1.9.0")
    environments.until("Current", message=LEFT.format("shop:1.9.0"))
    assert environments.requests() == []

    environments.promote(carry={"older": True})
    eventually(lambda: environments.runs("production") == "shop:1.9.0", 60, environments.state)


def test_of_two_versions_the_first_goes_first_and_the_second_is_approved_upon_it(environments: Environments) -> None:
    host = environments.host
    gates = [{"approvals": {"count": 1, "from": [host.reviewer.name]}}, {"healthyFor": "1s"}]
    environments.start(gates=gates, inFlight="Queue")
    environments.stage("shop:2")
    first = environments.until("Open")["number"]
    eventually(lambda: environments.looked_at()["gates"][1]["verdict"] == "pass", 30, environments.state)
    environments.stage("shop:3")
    eventually(lambda: "waits until" in environments.state()["message"], 60, environments.state)
    host.approve(first)
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)

    second = environments.until("Open", images=["shop:3"])
    assert "nobody has approved" in second["gates"][0]["evidence"]
    assert "| `shop` | `2` | `3` |" in request(environments, second["number"])["body"]
    host.approve(second["number"])
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:3", 60, environments.state)
    assert [each["number"] for each in environments.requests()] == [second["number"], first]


def test_a_version_whose_soak_was_cut_short_gives_way_also_in_a_queue(environments: Environments) -> None:
    environments.start(gates=[{"healthyFor": "1h"}], inFlight="Queue")
    environments.stage("shop:2")
    first = environments.until("Open")["number"]
    environments.stage("shop:3")
    environments.until("Open", images=["shop:3"])
    assert request(environments, first)["state"] == "closed"
