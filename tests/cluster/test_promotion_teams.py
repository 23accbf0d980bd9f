"""The members of a team approve what goes to production, on a real Gitea with a real organization."""

from __future__ import annotations

from typing import Any

from command_line import dispatch
from promoting import Environments
from team import eventually

from reconciler.sandbox.platform import Sandbox


def said(environments: Environments, words: str) -> dict[str, Any]:
    """The gate, once it says this."""

    def found() -> dict[str, Any] | None:
        gates: list[dict[str, Any]] = environments.looked_at().get("gates") or [{}]
        gate = gates[0]
        return gate if words in gate.get("evidence", "") else None

    return eventually(found, 60, environments.state)


def test_a_members_approval_opens_the_gate_and_nobody_elses(environments: Environments, harbour: Sandbox) -> None:
    host = environments.host
    team = host.team(host.reviewer, host.reader)
    environments.start(gates=[{"approvals": {"count": 1, "teams": [team]}}])
    environments.stage("shop:2")
    number = environments.until("Open")["number"]
    said(environments, f"1 of the team {team} must approve")
    text = host.ask("GET", f"/pulls/{number}")["body"]
    assert f"1 of the team {team} must approve exactly this commit" in text.replace("\\", "")

    # An organization tells its teams to its members only.
    host.approve(number, host.owner)
    gate = said(environments, f"does not let the token read team {team}: Must be an organization member")
    assert gate["verdict"] == "wait" and "`read:organization`" in gate["evidence"]
    host.join(team, host.bot)
    gate = said(environments, "nobody has approved")
    assert gate["verdict"] == "wait"
    told = dispatch("promotion", "explain", "shop", "-n", environments.namespace, "--kubeconfig", harbour.kubeconfig)
    assert gate["evidence"] in told.out
    assert environments.runs("production") == "shop:1"

    # Who may not write to the repository has no word, and who left the team has none any more.
    host.approve(number, host.reader)
    said(environments, "nobody has approved")
    host.leave(team, host.reviewer)
    host.approve(number)
    said(environments, "nobody has approved")
    assert environments.runs("production") == "shop:1"
    host.join(team, host.reviewer)
    environments.look()
    eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)
