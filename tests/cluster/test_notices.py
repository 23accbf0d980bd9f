"""People are told, on a real API server: one message a revision, kept true, and never at the cost of a deployment."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from notified import notify, secret, status, until_told
from slack_double import CHANNEL, TOKEN, Slack, Trouble, slack_workspace
from team import Team, config_map, deployment, eventually

from reconciler.model.change import Refusal


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_workspace() as workspace:
        yield workspace


@pytest.fixture
def told(team: Team, slack: Slack) -> Team:
    """A team whose people are told."""
    team.read_repository()
    notify(team, slack)
    return team


def test_a_deployment_is_one_message_that_is_brought_up_to_date(told: Team, slack: Slack) -> None:
    commit = told.push({"web/d.yaml": deployment("web", replicas=2)}, "two of them")
    told.deploy("web", "web")
    message = until_told(told, slack, f"{told.namespace}/web {commit[:7]} deployed")
    assert len(slack.texts()) == 1
    assert message["metadata"]["event_payload"]["key"] == f"{told.namespace}/web@{commit}"
    assert any("is being deployed" in each for each in slack.texts()) is False
    assert "two of them" in json.dumps(message["blocks"])
    again = told.push({"web/d.yaml": deployment("web", replicas=1)}, "one")
    until_told(told, slack, f"{again[:7]} deployed")
    assert len(slack.texts()) == 2, "each revision has a message of its own"


def test_drift_that_is_mended_is_told_with_the_hand_that_did_it(told: Team, slack: Slack) -> None:
    told.push({"web/a.yaml": config_map("a", key="from git")})
    told.deploy("web", "web")
    until_told(told, slack, "deployed")
    told.edit("v1", "ConfigMap", "a", {"data": {"key": "s3cr3t"}})
    message = until_told(told, slack, "had drifted, and is as Git says again")
    assert "kubectl-edit" in json.dumps(message["blocks"])
    assert "s3cr3t" not in json.dumps(slack.messages)


def test_drift_that_stays_is_a_warning_and_its_end_is_told_below_it(told: Team, slack: Slack) -> None:
    told.push({"web/a.yaml": config_map("a", key="from git")})
    told.deploy("web", "web", drift={"correct": False})
    until_told(told, slack, "deployed")
    told.edit("v1", "ConfigMap", "a", {"data": {"key": "x"}})
    found = until_told(told, slack, "has drifted from Git")
    told.deploy("web", "web", drift={"correct": True})
    mended = until_told(told, slack, "had drifted, and is as Git says again")
    assert found["ts"] == mended["ts"]
    assert len(eventually(lambda: slack.said(found["ts"]))) == 1


def test_a_commit_that_cannot_be_rendered_is_told_and_so_is_its_end(told: Team, slack: Slack) -> None:
    told.push({"web/a.yaml": config_map("a", key="1")})
    told.deploy("web", "web")
    until_told(told, slack, "deployed")
    bad = told.push({"web/a.yaml": "kind: [unclosed\n"})
    until_told(told, slack, f"{bad[:7]} cannot be deployed")
    told.push({"web/a.yaml": config_map("a", key="1")})
    until_told(told, slack, "is well again")
    assert len(slack.texts()) == 2


def test_a_slack_that_is_down_slows_nothing_and_hears_the_newest_when_it_is_back(told: Team, slack: Slack) -> None:
    told.push({"web/a.yaml": config_map("a", key="0")})
    told.deploy("web", "web")
    until_told(told, slack, "deployed")

    def takes() -> float:
        began = time.monotonic()
        told.until_ready("web", told.push({"web/a.yaml": config_map("a", key=str(began))}))
        return time.monotonic() - began

    usual = sorted(takes() for _ in range(3))[1]
    slack.down, slack.slow = Trouble(503, "service_unavailable"), 20.0
    down = sorted(takes() for _ in range(3))[1]
    assert down < usual + 1.0, (usual, down)
    newest = told.push({"web/a.yaml": config_map("a", key="newest")})
    told.until_ready("web", newest)
    eventually(lambda: status(told)["failures"], 40, lambda: status(told))
    assert told.condition("people", kind="Notifier")["reason"] == "NoticeUnreachable"
    slack.down, slack.slow = None, 0.0
    until_told(told, slack, f"{newest[:7]} deployed", within=60)
    eventually(lambda: told.condition("people", kind="Notifier")["status"] == "True")


def test_slack_asks_for_patience_and_gets_it(told: Team, slack: Slack) -> None:
    slack.troubles = [Trouble(429, "ratelimited", retry_after=3)]
    told.push({"web/a.yaml": config_map("a", key="0")})
    told.deploy("web", "web")
    until_told(told, slack, "deployed")
    began = float(slack.messages[0]["ts"])
    refused = next(each for each in status(told)["messages"])["at"]
    from datetime import datetime

    assert began - datetime.fromisoformat(refused).timestamp() >= 2.5
    assert len(slack.messages) == 1


def test_a_token_that_is_refused_is_said_and_a_good_one_is_taken_up(team: Team, slack: Slack) -> None:
    team.read_repository()
    notify(team, slack, token="xoxb-9-wrong-token")
    team.push({"web/a.yaml": config_map("a", key="0")})
    team.deploy("web", "web")
    message = team.until_reason("people", "NoticeRefused", kind="Notifier")
    assert "invalid_auth" in message and "xoxb-9-wrong-token" not in json.dumps(status(team))
    notify(team, slack, token=TOKEN, events=["Deployed"])
    until_told(team, slack, "deployed")


def test_a_notifier_without_its_secret_says_which_is_missing(team: Team) -> None:
    spec = {"slack": {"channel": CHANNEL, "secretRef": {"name": "none"}}}
    team.apply(
        {"apiVersion": "dispatch.dev/v1alpha1", "kind": "Notifier", "metadata": {"name": "people"}, "spec": spec}
    )
    assert "there is no Secret 'none'" in team.until_reason("people", "CredentialsNotFound", kind="Notifier")


def test_a_webhook_and_a_slack_are_told_each_by_itself(told: Team, slack: Slack) -> None:
    secret(told, "hook", url="http://127.0.0.1:9/nobody")
    spec = {"webhook": {"secretRef": {"name": "hook"}}}
    told.apply(
        {"apiVersion": "dispatch.dev/v1alpha1", "kind": "Notifier", "metadata": {"name": "program"}, "spec": spec}
    )
    told.push({"web/a.yaml": config_map("a", key="0")})
    told.deploy("web", "web")
    until_told(told, slack, "deployed")
    assert (
        eventually(
            lambda: (
                (found := told.condition("program", kind="Notifier").get("reason")) != "ReconciliationSucceeded"
                and found
            )
        )
        == "NoticeUnreachable"
    )


def test_what_is_not_chosen_is_not_told(team: Team, slack: Slack) -> None:
    team.read_repository()
    notify(team, slack, match={"applications": ["shop*"]}, events=["Deployed", "Failed"])
    team.push({"web/a.yaml": config_map("a", key="0"), "shop/b.yaml": config_map("b", key="0")})
    team.deploy("web", "web")
    team.until_ready("web")
    team.deploy("shop-eu", "shop")
    until_told(team, slack, "/shop-eu")
    team.edit("v1", "ConfigMap", "b", {"data": {"key": "x"}})
    eventually(lambda: team.status("shop-eu").get("drift"))
    time.sleep(0.5)
    assert len(slack.messages) == 1


def test_the_drift_of_the_time_is_reported_when_its_time_has_come(team: Team, slack: Slack) -> None:
    team.read_repository()
    team.push({"web/a.yaml": config_map("a", key="0")})
    team.deploy("web", "web")
    team.until_ready("web")
    team.edit("v1", "ConfigMap", "a", {"data": {"key": "x"}})
    eventually(lambda: team.status("web").get("drift"))
    notify(team, slack, report={"schedule": "* * * * *"})
    message = until_told(team, slack, "Drift from", within=70)
    assert "1 field by kubectl-edit, none of them still there" in json.dumps(message["blocks"])
    assert status(team)["lastReport"]


def test_a_report_that_never_comes_is_said_and_all_else_is_told(team: Team, slack: Slack) -> None:
    team.read_repository()
    notify(team, slack)
    notify(team, slack, wait=False, report={"schedule": "0 99 * * MON"})
    assert "spec.report.schedule" in team.until_reason("people", "InvalidSpec", kind="Notifier")
    team.push({"web/a.yaml": config_map("a", key="0")})
    team.deploy("web", "web")
    until_told(team, slack, "deployed")


def test_one_notifier_of_the_wrong_shape_is_refused_by_the_server(team: Team, tmp_path: Path) -> None:
    resource = team.resource("dispatch.dev/v1alpha1", "Notifier")
    metadata = {"name": "x", "namespace": team.namespace}
    document = {"apiVersion": "dispatch.dev/v1alpha1", "kind": "Notifier", "metadata": metadata}
    answer = team.cluster.create(resource, team.namespace, {**document, "spec": {}})
    assert isinstance(answer, Refusal) and "exactly one of `slack` and `webhook`" in answer.message
