"""Whatever is lost on the way - the process, an answer, a message - people hear each thing once, and the newest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from controller_fixtures import administrator
from dying import DyingCluster
from lone_controller import in_process
from notified import notify, secret, status, until_told
from sandbox_fixtures import fresh_namespace
from slack_double import LOST_ANSWER, TOKEN, Slack, slack_workspace
from somebody import Somebody
from team import Team, config_map, eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.sandbox.platform import Part, Sandbox


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("notices"), [Part.APISERVER], print) as sandbox:
        yield sandbox


@pytest.fixture
def admin(server: Sandbox) -> Iterator[KubeCluster]:
    with administrator(server) as cluster:
        yield cluster


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_workspace() as workspace:
        yield workspace


@pytest.fixture
def team(server: Sandbox, admin: KubeCluster, slack: Slack, tmp_path: Path) -> Team:
    """A team whose first version was deployed and told; no controller runs."""
    found = Team(admin, Somebody(server), fresh_namespace(server), tmp_path)
    found.push({"web/a.yaml": config_map("a", v="1")})
    found.read_repository()
    with in_process(server, found, tmp_path / "cache"):
        notify(found, slack)
        found.deploy("web", "web")
        until_told(found, slack, "deployed")
    return found


def test_a_restart_posts_nothing_again(server: Sandbox, team: Team, slack: Slack, tmp_path: Path) -> None:
    asked = len(slack.asked)
    before = status(team)
    with in_process(server, team, tmp_path / "other-cache"):
        team.read_repository(interval="2s")
        team.push({"other/x.yaml": config_map("x", v="1")})
        team.deploy("other", "other")
        until_told(team, slack, "/other")
    assert len(slack.texts()) == 2
    assert len(slack.asked) == asked + 1
    assert status(team)["messages"][1:] == before["messages"]


@pytest.mark.parametrize("writes", range(1, 11))
def test_killed_after_any_write_each_revision_is_told_once(
    server: Sandbox, team: Team, slack: Slack, tmp_path: Path, writes: int
) -> None:
    commit = team.push({"web/a.yaml": config_map("a", v="2")})
    with in_process(server, team, tmp_path / "cache", writes) as dying:
        eventually(lambda: dying.dead or f"{commit[:7]} deployed" in str(slack.texts()))
    with in_process(server, team, tmp_path / "cache"):
        until_told(team, slack, f"{commit[:7]} deployed")
        newest = team.push({"web/a.yaml": config_map("a", v="3")})
        until_told(team, slack, f"{newest[:7]} deployed")
    assert len(slack.texts()) == 3, slack.texts()


def test_killed_between_the_post_and_its_record_the_message_is_found_again(
    server: Sandbox, team: Team, slack: Slack, tmp_path: Path
) -> None:
    commit = team.push({"web/a.yaml": config_map("a", v="2")})
    slack.slow = 1.0
    with in_process(server, team, tmp_path / "cache") as cluster:
        eventually(lambda: any(not each["id"] for each in status(team).get("messages") or []))
        # The post is on its way. What comes back finds nobody.
        dead = DyingCluster(cluster, 0)
        cluster.patch, cluster.resource = dead.patch, dead.resource
        eventually(lambda: len(slack.texts()) == 2)
    slack.slow = 0.0
    assert any(not each["id"] for each in status(team)["messages"])
    with in_process(server, team, tmp_path / "cache"):
        until_told(team, slack, f"{commit[:7]} deployed")
    assert len(slack.texts()) == 2
    assert "conversations.history" in slack.asked


def test_a_post_whose_answer_was_lost_is_not_posted_again(
    server: Sandbox, team: Team, slack: Slack, tmp_path: Path
) -> None:
    slack.troubles = [LOST_ANSWER]
    with in_process(server, team, tmp_path / "cache"):
        commit = team.push({"web/a.yaml": config_map("a", v="2")})
        until_told(team, slack, f"{commit[:7]} deployed")
    assert len(slack.texts()) == 2


def test_a_message_that_somebody_deleted_is_posted_again_when_it_changes(
    server: Sandbox, team: Team, slack: Slack, tmp_path: Path
) -> None:
    slack.messages.clear()
    with in_process(server, team, tmp_path / "cache"):
        team.push({"web/a.yaml": "kind: [unclosed\n"})
        until_told(team, slack, "cannot be deployed")
        team.push({"web/a.yaml": config_map("a", v="1")})
        until_told(team, slack, "is well again")


def test_a_thousand_applications_are_no_thousand_messages_for_a_notifier_that_comes_later(
    server: Sandbox, team: Team, slack: Slack, tmp_path: Path
) -> None:
    team.push({f"{name}/a.yaml": config_map(name, v="1") for name in ("b", "c", "d")})
    with in_process(server, team, tmp_path / "cache"):
        for name in ("b", "c", "d"):
            team.deploy(name, name)
            until_told(team, slack, f"/{name} ")
    posted = len(slack.texts())
    secret(team, "late-slack", token=TOKEN)
    with in_process(server, team, tmp_path / "cache"):
        notify(team, slack, "late")
        commit = team.push({"b/a.yaml": config_map("b", v="2")})
        until_told(team, slack, f"/b {commit[:7]} deployed")
        eventually(lambda: len(slack.texts()) == posted + 2, what=slack.texts)
    assert status(team, "late")["messages"][0]["key"] == f"{team.namespace}/b@{commit}"
