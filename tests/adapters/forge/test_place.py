"""Where the API of a repository is, by its Git URL."""

from __future__ import annotations

import pytest

from reconciler.adapters.forge.place import place_of
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
    assert place_of(url, None, "/api/v1") == (api, "team", "config")


def test_it_is_what_the_user_says() -> None:
    found = place_of("git@ssh.example.com:team/config.git", "https://gitea.example.com/x/api/v1/", "/api/v1")
    assert found == ("https://gitea.example.com/x/api/v1", "team", "config")


@pytest.mark.parametrize(
    "url", ["https://h/config.git", "https://h", "git@h:config.git", "file:///srv/team/config.git"]
)
def test_a_url_without_an_owner_is_refused(url: str) -> None:
    with pytest.raises(Terminal, match="it must end with /owner/name") as caught:
        place_of(url, None, "/api/v1")
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
        place_of(url, api, "/api/v1")
    assert caught.value.reason == Reason.INVALID_SPEC
    assert place_of(url, api, "/api/v1", allow_http=True).name == "config"
