"""What Dispatch makes of merges and reverts that people do by hand, on a real Gitea."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from command_line import Ran, dispatch
from notified import notify, until_told
from promoting import Environments
from slack_double import slack_workspace
from team import config_map, deployment, eventually, git

from reconciler.model.resource import API_VERSION
from reconciler.sandbox.platform import Sandbox


def merge(environments: Environments, number: int, how: str = "squash") -> None:
    """The reviewer merges."""
    environments.host.merge(number, environments.host.reviewer, how)


def production_runs(environments: Environments, image: str) -> str:
    """A commit by hand, straight to production."""
    git("fetch", "--quiet", environments.owners_url, "main", at=environments.work)
    git("reset", "--quiet", "--hard", "FETCH_HEAD", at=environments.work)
    return environments.push({"production/web.yaml": deployment("web-production", image)}, f"production runs {image}")


def ask(environments: Environments, harbour: Sandbox, verb: str) -> Ran:
    where = ("-n", environments.namespace, "-e", "production", "--kubeconfig", harbour.kubeconfig)
    return dispatch("promotion", verb, "shop", *where)


def merged(environments: Environments) -> dict[str, Any] | None:
    environments.look()
    found: dict[str, Any] | None = environments.state().get("merged")
    return found


def test_a_merge_by_hand_with_all_gates_open_is_as_expected(environments: Environments) -> None:
    environments.start(merge="Manual", gates=[{"healthyFor": "1s"}])
    environments.stage("shop:2")
    eventually(lambda: "all gates are open" in environments.state().get("message", ""), 60, environments.state)
    merge(environments, environments.state()["number"])
    found = eventually(lambda: merged(environments), 60, environments.state)
    assert (found["verdict"], found["by"]) == ("Expected", environments.host.reviewer.name)
    assert environments.until("Current")["message"] == "has what staging runs"


def test_a_merge_past_a_closed_gate_is_recorded_as_an_override(environments: Environments) -> None:
    host = environments.host
    environments.start(gates=[{"hold": True}, {"approvals": {"count": 1}}])
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    merge(environments, number)
    found = eventually(lambda: merged(environments), 60, environments.state)
    assert (found["verdict"], found["by"], found["number"]) == ("Override", host.reviewer.name, number)
    assert found["closed"] == ["hold", "approvals"]
    state = environments.until("Current")
    assert f"was merged by {host.reviewer.name} while closed: hold, approvals" in state["message"]
    eventually(lambda: environments.runs("production") == "shop:2", 60)


def test_a_merge_of_what_nobody_proposed_is_told_and_goes_no_further_until_somebody_accepts_it(
    environments: Environments, harbour: Sandbox
) -> None:
    environments.start(gates=[{"hold": True}])
    environments.push({**environments.files("island", "shop:1")})
    environments.deploy("island", "island")
    environments.until_ready("island", within=60)
    road(environments)
    with slack_workspace() as slack:
        notify(environments, slack, events=["UnreviewedChange"])
        environments.stage("shop:2")
        state = environments.until("Open")
        host, extra = environments.host, b64encode(config_map("extra", answer="by-hand").encode()).decode()
        file = {"content": extra, "message": "by hand", "branch": environments.branch().name}
        host.ask("POST", "/contents/production/extra.yaml", file, host.reviewer)
        merge(environments, state["number"], "merge")
        found = eventually(lambda: merged(environments), 60, environments.state)
        assert (found["verdict"], found["by"]) == ("Unreviewed", host.reviewer.name)
        message = until_told(environments, slack, "runs a change that nobody has reviewed in production", within=60)
        assert environments.until("Current")["message"].endswith("and is not what was proposed")
        eventually(lambda: environments.runs("production") == "shop:2", 60)
        island = eventually(lambda: waits(environments, "unreviewed change"), 60, environments.states)
        assert island["number"] == 0 and environments.runs("island") == "shop:1"

        ran = ask(environments, harbour, "accept")
        assert ran.code == 0, ran
        eventually(lambda: environments.runs("island") == "shop:2", 60, environments.states)
        assert len([each for each in slack.texts() if each == message["text"]]) == 1


def road(environments: Environments) -> None:
    names = ("staging", "production", "island")
    spec: dict[str, Any] = {
        "environments": [{"name": name, "application": name, "merge": "Automatic"} for name in names]
    }
    spec["environments"][1]["gates"] = [{"hold": True}]
    environments.apply({"apiVersion": API_VERSION, "kind": "Promotion", "metadata": {"name": "shop"}, "spec": spec})


def waits(environments: Environments, words: str) -> dict[str, Any] | None:
    environments.look()
    found = environments.states().get("island", {})
    return found if found.get("state") == "Waiting" and words in found["message"] else None


def test_what_git_took_back_is_not_promoted_again_until_a_newer_version_comes(environments: Environments) -> None:
    environments.start()
    environments.stage("shop:2")
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    environments.until("Current")
    production_runs(environments, "shop:1")
    state = environments.until("Held", within=90)
    assert "production had shop:2 and has something else since" in state["message"]
    environments.push({"other/note.txt": "x"}, "something else")
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:1", 60)
    assert environments.state()["state"] == "Held" and len(environments.requests()) == 1

    environments.stage("shop:3")
    eventually(lambda: environments.runs("production") == "shop:3", 60, environments.state)


def test_what_git_took_back_comes_again_when_somebody_asks_and_only_once(
    environments: Environments, harbour: Sandbox
) -> None:
    environments.start()
    environments.stage("shop:2")
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    environments.until("Current")
    assert ask(environments, harbour, "again").code == 1
    production_runs(environments, "shop:1")
    environments.until("Held", within=90)
    ran = ask(environments, harbour, "again")
    assert ran.code == 0, ran
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
    environments.until("Current")
    production_runs(environments, "shop:1")
    environments.until("Held", within=90)
    assert [each["merged"] for each in environments.requests()] == [True, True]


def test_a_mend_of_production_alone_is_not_undone_by_what_staging_runs(environments: Environments) -> None:
    environments.start()
    environments.until("Current")
    # By SemVer it could be told that staging's is the older one; by this name it cannot.
    production_runs(environments, "shop:mended")
    environments.until("Held", within=90)
    eventually(lambda: environments.runs("production") == "shop:mended", 60)
    assert environments.requests() == []
