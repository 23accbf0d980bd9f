"""The port `Forge` tells who is in a team: the real Gitea, and servers that answer as GitHub and GitLab do."""

from __future__ import annotations

import pytest
from forges.hosts import ForgeHost, forge_of

from reconciler.adapters.forge import teams
from reconciler.model.outcome import Reason, Terminal

RIGHTS = {
    "gitea": "`read:organization`, and its account must be a member of this team",
    "github": "`read:org`; a fine-grained token and a GitHub App need Members: read of the organization",
    "gitlab": "`read_api`, and its account must be at least a guest of this group",
}


@pytest.fixture
def host(forge_host: ForgeHost) -> ForgeHost:
    return forge_host


def test_the_members_of_a_team_are_told_as_they_are_now(host: ForgeHost) -> None:
    forge, team = forge_of(host), host.team("bot", "reviewer")
    assert forge.members(team) == {host.names["bot"], host.names["reviewer"]}
    host.leave(team, "reviewer")
    assert forge.members(team) == {host.names["bot"]}


def test_a_team_of_many_pages_is_read_to_its_end(host: ForgeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "_PAGE", 1)
    monkeypatch.setattr(teams, "_GITEA_PAGE", 1)
    assert forge_of(host).members(host.team("bot", "reviewer", "reader")) == set(host.names.values())


def test_a_team_that_cannot_be_read_is_told_with_the_right_that_it_takes(host: ForgeHost) -> None:
    for team in (host.team("reviewer"), "nobody-has-such/team"):
        with pytest.raises(Terminal) as caught:
            forge_of(host).members(team)
        assert caught.value.reason == Reason.FORGE_DENIED
        assert team in caught.value.message
        assert RIGHTS[host.kind] in caught.value.message


def test_a_name_that_is_no_team_of_this_forge_is_said(host: ForgeHost) -> None:
    """A group of GitLab may have any depth; elsewhere a team has exactly one organization."""
    for team in ("platform", "acme/web/platform"):
        with pytest.raises(Terminal, match=team) as caught:
            forge_of(host).members(team)
        assert caught.value.reason == Reason.FORGE_DENIED
        assert host.kind == "gitlab" or "`organization/team`" in caught.value.message
