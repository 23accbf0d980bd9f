"""What the gates of a promotion need to know of people is asked of the forge, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forges.hosts import GitHubHost, branch_of, forge_of

from reconciler.engine.landing import opinions
from reconciler.model.promotion import PromotionEnvironment
from reconciler.ports import Forge, PullRequest, Team


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    made = GitHubHost(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def forge(host: GitHubHost) -> Forge:
    return forge_of(host)


@pytest.fixture
def request_(host: GitHubHost, forge: Forge) -> PullRequest:
    return forge.open(branch_of(host), "main", "t", "b")


def teams(forge: Forge, request: PullRequest, **approvals: Any) -> dict[str, Team]:
    gates = [{"approvals": approvals}, {"hold": True}]
    target = PromotionEnvironment.model_validate({"name": "p", "application": "p", "gates": gates})
    return dict(opinions(forge, None, target, request)[2])


def test_a_team_is_asked_for_once_somebody_has_spoken_whom_the_gate_does_not_name(
    host: GitHubHost, forge: Forge, request_: PullRequest
) -> None:
    team, reviewer = host.team("bot", "reviewer"), host.names["reviewer"]
    assert teams(forge, request_, teams=[team]) == {}
    host.review(request_.number, "approved")
    assert teams(forge, request_, **{"from": [reviewer]}) == {}
    assert teams(forge, request_, **{"from": [reviewer]}, teams=[team]) == {}
    assert host.teams.asked() == 0
    assert teams(forge, request_, teams=[team]) == {team: Team(frozenset({host.names["bot"], reviewer}))}
    assert host.teams.asked() == 1


def test_a_team_that_cannot_be_read_is_a_problem_of_its_own(
    host: GitHubHost, forge: Forge, request_: PullRequest
) -> None:
    good, bad = host.team("bot", "reviewer"), host.team("reviewer")
    host.review(request_.number, "approved")
    found = teams(forge, request_, teams=[good, bad])
    assert found[good].problem == ""
    assert f"has no team {bad}: Not Found. Check its name" in found[bad].problem
