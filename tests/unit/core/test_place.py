"""Where the API of a repository is, by its Git URL."""

from __future__ import annotations

import pytest

from reconciler.core.place import place_of
from reconciler.model.outcome import Reason, Terminal


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://gitea.example.com/team/config.git", "https://gitea.example.com/api/v1"),
        ("https://gitea.example.com/team/config", "https://gitea.example.com/api/v1"),
        ("https://gitea.example.com/team/config/", "https://gitea.example.com/api/v1"),
        ("https://gitea.example.com:8443/team/config.git", "https://gitea.example.com:8443/api/v1"),
        ("https://example.com/gitea/team/config.git", "https://example.com/gitea/api/v1"),
        ("http://127.0.0.1:3000/team/config.git", "http://127.0.0.1:3000/api/v1"),
        ("http://[::1]:3000/team/config.git", "http://[::1]:3000/api/v1"),
        ("https://[2001:db8::1]/team/config.git", "https://[2001:db8::1]/api/v1"),
        ("ssh://git@gitea.example.com:2222/team/config.git", "https://gitea.example.com/api/v1"),
        ("ssh://gitea.example.com/team/config.git", "https://gitea.example.com/api/v1"),
        ("git@gitea.example.com:team/config.git", "https://gitea.example.com/api/v1"),
        ("git@gitea.example.com:/team/config.git", "https://gitea.example.com/api/v1"),
    ],
)
def test_it_follows_from_the_url(url: str, api: str) -> None:
    assert place_of("gitea", url, None)[:3] == (api, "team", "config")


def test_it_is_what_the_user_says() -> None:
    found = place_of("gitea", "git@ssh.example.com:team/config.git", "https://gitea.example.com/x/api/v1/")
    assert found[:3] == ("https://gitea.example.com/x/api/v1", "team", "config")


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com/team/config.git", "https://api.github.com"),
        ("git@github.com:team/config.git", "https://api.github.com"),
        ("ssh://git@ssh.github.com:443/team/config.git", "https://api.github.com"),
        ("https://octo.ghe.com/team/config", "https://api.octo.ghe.com"),
        ("https://github.example.com/team/config.git", "https://github.example.com/api/v3"),
        ("ssh://git@github.example.com:2222/team/config", "https://github.example.com/api/v3"),
        ("https://notgithub.com/team/config", "https://notgithub.com/api/v3"),
    ],
)
def test_github_has_it_at_a_host_of_its_own_and_an_enterprise_server_below_its_root(url: str, api: str) -> None:
    assert place_of("github", url, None) == (api, "team", "config", ("repos", "team", "config"))


@pytest.mark.parametrize(
    ("url", "api", "group"),
    [
        ("https://gitlab.com/team/config.git", "https://gitlab.com/api/v4", "team"),
        ("git@gitlab.com:team/web/config.git", "https://gitlab.com/api/v4", "team/web"),
        ("ssh://git@gitlab.example.com:2222/team/a/b/config", "https://gitlab.example.com/api/v4", "team/a/b"),
        ("https://gitlab.example.com:8443/team/config", "https://gitlab.example.com:8443/api/v4", "team"),
    ],
)
def test_a_project_of_gitlab_may_be_some_groups_deep(url: str, api: str, group: str) -> None:
    assert place_of("gitlab", url, None) == (api, group, "config", ("projects", f"{group}/config"))


def test_a_gitlab_below_a_prefix_is_told_by_its_api() -> None:
    found = place_of("gitlab", "https://h/git/lab/team/config.git", "https://h/git/lab/api/v4")
    assert (found.api, found.path) == ("https://h/git/lab/api/v4", "team/config")
    found = place_of("gitlab", "git@h:team/config.git", "https://h/git/lab/api/v4")
    assert found.path == "team/config"


@pytest.mark.parametrize(
    "url", ["https://h/config.git", "https://h", "git@h:config.git", "file:///srv/team/config.git"]
)
def test_a_url_without_an_owner_is_refused(url: str) -> None:
    with pytest.raises(Terminal, match="it must end with /owner/name") as caught:
        place_of("gitea", url, None)
    assert caught.value.reason == Reason.INVALID_SPEC


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("http://gitea.example.com/team/config", None),
        ("https://h/team/config", "http://h/api/v1"),
        ("http://localhost.example.com/team/config", None),
        ("http://127.0.0.1.example.com/team/config", None),
    ],
)
def test_no_token_goes_in_the_clear_beyond_this_machine(url: str, api: str | None) -> None:
    with pytest.raises(Terminal, match="in the clear") as caught:
        place_of("gitea", url, api)
    assert caught.value.reason == Reason.INVALID_SPEC
    assert place_of("gitea", url, api, allow_http=True).name == "config"
