"""A Git host that is away, or does not let us in: it is said, what runs stays as it is, and it heals by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from adapters.git.http_host import HttpHost
from team import Team, config_map, eventually

_SECRET = "an-old-passw0rd"


@pytest.fixture
def host(team: Team) -> Iterator[HttpHost]:
    """The team's repository behind a login, over HTTP."""
    serving = HttpHost(team.bare.parent, ("team", _SECRET))
    yield serving
    serving.stop()


def login(team: Team, password: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}}
    team.apply({**secret, "stringData": {"username": "team", "password": password}})


def running(team: Team, host: HttpHost) -> None:
    """An application `web` that is well, read with the right password."""
    login(team, _SECRET)
    team.push({"web/a.yaml": config_map("a", key="good")})
    team.read_repository(url=f"{host.origin}/config.git", credentialsRef={"name": "login"})
    team.deploy("web", "web")
    team.until_ready("web")


def as_it_was(team: Team) -> bool:
    live = team.live("v1", "ConfigMap", "a")
    return live is not None and live["data"] == {"key": "good"} and team.condition("web")["status"] == "True"


def until_healed(team: Team) -> None:
    commit = team.push({"web/a.yaml": config_map("a", key="later")})
    team.until_ready("web", commit, within=60)
    eventually(lambda: team.condition("config", kind="Repository")["status"] == "True")
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "later"}


def test_a_password_that_the_host_no_longer_takes(team: Team, host: HttpHost) -> None:
    running(team, host)
    host.login = ("team", "a-new-passw0rd")
    message = team.until_reason("config", "SourceAuthenticationFailed", kind="Repository")
    assert f"{host.origin}/config.git" in message and "credentialsRef" in message
    assert _SECRET not in message
    assert as_it_was(team)
    login(team, "a-new-passw0rd")
    until_healed(team)


@pytest.mark.parametrize("status", [503, 404])
def test_a_host_that_answers_with_an_error_for_a_while(team: Team, host: HttpHost, status: int) -> None:
    running(team, host)
    host.answer = lambda path: (status, {})
    reason = "SourceUnreachable" if status == 503 else "RepositoryNotFound"
    assert host.origin in team.until_reason("config", reason, kind="Repository")
    assert as_it_was(team)
    host.answer = lambda path: None
    until_healed(team)


def test_a_host_that_is_named_wrongly(team: Team, host: HttpHost) -> None:
    running(team, host)
    team.read_repository(url="https://no-such-host.invalid/config.git", credentialsRef={"name": "login"})
    assert "no-such-host.invalid" in team.until_reason("config", "SourceUnreachable", kind="Repository")
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "good"}
    team.read_repository(url=f"{host.origin}/config.git", credentialsRef={"name": "login"})
    until_healed(team)


@pytest.mark.parametrize(
    ("source", "reason"), [({"path": "wib"}, "PathNotFound"), ({"path": "web", "revision": "mian"}, "RefNotFound")]
)
def test_a_path_or_a_revision_that_goes_missing_under_what_runs(
    team: Team, host: HttpHost, source: dict[str, str], reason: str
) -> None:
    running(team, host)
    team.deploy("web", source["path"], source=source)
    team.until_reason("web", reason)
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "good"}
    assert [member["result"] for member in team.status("web")["history"]] == ["Failed", "Applied"]
    team.deploy("web", "web")
    until_healed(team)
