"""A hotfix goes past staging into production, keeps out what may lack it, and comes back, on a real Gitea."""

from __future__ import annotations

from typing import Any

from command_line import dispatch
from promoting import Environments
from team import eventually

from reconciler.model.resource import API_VERSION
from reconciler.sandbox.platform import Sandbox

ALWAYS = {"start": "* * * * *", "duration": "1h", "reason": "the end of the year"}


def ask(environments: Environments, harbour: Sandbox, image: str, *more: str) -> str:
    """The name of the Hotfix."""
    where = ("-n", environments.namespace, "--kubeconfig", harbour.kubeconfig)
    ran = dispatch(
        *("promotion", "hotfix", "shop", "-e", "production", "--image", image, "--reason", "CVE-1 <script>"),
        *more,
        *where,
    )
    assert ran.code == 0, ran.err
    return ran.out.partition("Hotfix ")[2].partition(".")[0]


def status(environments: Environments, name: str) -> dict[str, Any]:
    found: dict[str, Any] = (environments.live(API_VERSION, "Hotfix", name) or {}).get("status") or {}
    return found


def until(environments: Environments, name: str, state: str, back: str | None = None) -> dict[str, Any]:
    """The status, once it is in this state, and staging's too."""

    def seen() -> dict[str, Any] | None:
        found = status(environments, name)
        same = (found.get("target") or {}).get("state") == state
        returns: list[dict[str, Any]] = found.get("back") or [{}]
        there = returns[0].get("state")
        return found if same and back in (None, there) else None

    return eventually(seen, 60, lambda: (status(environments, name), environments.state()))


def ready(environments: Environments, name: str) -> tuple[str, str]:
    found = next(each for each in status(environments, name)["conditions"] if each["type"] == "Ready")
    return found["status"], found["reason"]


def test_a_hotfix_passes_staging_and_comes_back_to_it(environments: Environments, harbour: Sandbox) -> None:
    host = environments.host
    environments.start("shop:1.0.0", gates=[{"healthyFor": "1h"}, {"approvals": {"count": 1}}])
    name = ask(environments, harbour, "shop:1.0.1")
    found = until(environments, name, "Open")["target"]
    request = host.ask("GET", f"/pulls/{found['number']}")
    assert request["title"] == "Hotfix shop:1.0.1 to production"
    assert "asked for by" in request["body"] and "<script>" not in request["body"]
    assert "passed by Hotfix" in request["body"]
    assert [(each["gate"], each["verdict"]) for each in found["gates"]] == [
        ("healthyFor", "pass"),
        ("approvals", "wait"),
    ]
    assert environments.runs("production") == "shop:1.0.0"

    host.approve(found["number"])
    eventually(lambda: environments.runs("production") == "shop:1.0.1", 60, lambda: status(environments, name))
    message = host.ask("GET", "/commits?limit=1&sha=main")[0]["commit"]["message"]
    assert f"Dispatch-Hotfix: {environments.namespace}/{name}" in message
    assert "Dispatch-Hotfix-Reason: CVE-1 <script>" in message

    back = until(environments, name, "Merged", "Open")
    assert ready(environments, name) == ("Unknown", "Progressing")
    assert environments.runs("staging") == "shop:1.0.0"
    request = host.ask("GET", f"/pulls/{back['back'][0]['number']}")
    assert request["title"] == "Hotfix shop:1.0.1 back to staging"
    host.merge(request["number"], host.reviewer)
    eventually(lambda: environments.runs("staging") == "shop:1.0.1", 60, lambda: status(environments, name))
    eventually(lambda: ready(environments, name) == ("True", "ReconciliationSucceeded"), 60)
    environments.until("Current", message="has what staging runs")


def test_what_staging_ran_before_a_hotfix_gives_way_and_does_not_take_it_away(
    environments: Environments, harbour: Sandbox
) -> None:
    host = environments.host
    environments.start("shop:1.0.0", merge="Manual")
    environments.stage("shop:1.1.0")
    older = environments.until("Open")["number"]
    name = ask(environments, harbour, "shop:1.0.1")
    found = until(environments, name, "Open")["target"]
    eventually(lambda: host.ask("GET", f"/pulls/{older}")["state"] == "closed", 60, environments.state)
    assert f"Hotfix {name} goes first" in environments.state()["message"]
    host.merge(found["number"], host.reviewer)
    # Staging's is newer, so nothing is carried back: but it was there before the mend.
    landed = until(environments, name, "Merged", "Current")
    assert landed["behind"] == ["shop:1.1.0"]
    assert "a newer version" in landed["back"][0]["message"]
    held = environments.until("Held")
    assert f"before Hotfix {name} went to production" in held["message"]
    assert environments.runs("production") == "shop:1.0.1"
    environments.stage("shop:1.1.1")
    assert environments.until("Open")["images"] == ["shop:1.1.1"]


def test_somebody_may_let_what_ran_before_a_hotfix_go_on(environments: Environments, harbour: Sandbox) -> None:
    environments.start("shop:1.0.0")
    environments.promote(gates=[{"hold": False}], merge="Manual")
    environments.stage("shop:1.1.0")
    environments.until("Open")
    name = ask(environments, harbour, "shop:1.0.1")
    environments.host.merge(until(environments, name, "Open")["target"]["number"], environments.host.reviewer)
    environments.until("Held")
    where = ("-n", environments.namespace, "-e", "production", "--kubeconfig", harbour.kubeconfig)
    assert dispatch("promotion", "again", "shop", *where).code == 0
    assert environments.until("Open")["images"] == ["shop:1.1.0"]


def test_a_hotfix_that_is_not_merged_in_its_time_is_closed_and_merged_no_more(
    environments: Environments, harbour: Sandbox
) -> None:
    host = environments.host
    environments.start("shop:1.0.0", gates=[{"approvals": {"count": 1}}])
    name = ask(environments, harbour, "shop:1.0.1", "--expires-after", "8s")
    number = until(environments, name, "Open")["target"]["number"]
    found = until(environments, name, "Expired")
    request = host.ask("GET", f"/pulls/{number}")
    assert (request["state"], request["merged"]) == ("closed", False)
    assert request["title"].startswith("Expired: Hotfix")
    assert "ask anew" in found["target"]["message"]
    assert ready(environments, name)[0] == "False"
    # The line is free again.
    environments.promote()
    environments.stage("shop:1.1.0")
    eventually(lambda: environments.runs("production") == "shop:1.1.0", 60, environments.state)


def test_a_freeze_holds_a_hotfix_that_does_not_say_otherwise(environments: Environments, harbour: Sandbox) -> None:
    environments.start("shop:1.0.0", gates=[{"freeze": ALWAYS}])
    frozen = ask(environments, harbour, "shop:1.0.1")
    found = until(environments, frozen, "Open")["target"]
    assert "the end of the year" in found["message"]
    host = environments.host
    host.ask("PATCH", f"/pulls/{found['number']}", {"state": "closed"}, host.reviewer)
    closed = until(environments, frozen, "Rejected")
    assert "ask anew" in closed["target"]["message"]
    through = ask(environments, harbour, "shop:1.0.2", "--skip", "freeze")
    eventually(lambda: environments.runs("production") == "shop:1.0.2", 60, lambda: status(environments, through))


def test_a_hotfix_names_no_image_that_is_not_there(environments: Environments, harbour: Sandbox) -> None:
    environments.start("shop:1.0.0")
    strange = ask(environments, harbour, "till:7")
    found = until(environments, strange, "Failed")["target"]
    assert "production runs no version of till:7: it runs shop:1.0.0" in found["message"]
    assert environments.runs("production") == "shop:1.0.0"
