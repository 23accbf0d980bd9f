"""Which URLs are accepted, and that a refused one is not repeated with its secret."""

from __future__ import annotations

import pytest

from reconciler.adapters.git.address import check
from reconciler.model.outcome import Reason, Terminal


@pytest.mark.parametrize(
    ("url", "given_to_git", "origin", "shown"),
    [
        ("https://git.example.com/a/b.git", "https://git.example.com/a/b.git", "https://git.example.com", None),
        ("https://ada@git.example.com:8443/a", "https://git.example.com:8443/a", "https://git.example.com:8443", None),
        ("http://127.0.0.1:3000/a", "http://127.0.0.1:3000/a", "http://127.0.0.1:3000", None),
        ("http://[::1]:3000/a", "http://[::1]:3000/a", "http://[::1]:3000", None),
        ("ssh://git@host:2222/a", "ssh://git@host:2222/a", "ssh://host:2222", "ssh://host:2222/a"),
        ("git@github.com:team/a.git", "git@github.com:team/a.git", "ssh://github.com", "github.com:team/a.git"),
        ("file:///srv/a.git", "file:///srv/a.git", "file://", None),
        ("/srv/my repo.git", "file:///srv/my%20repo.git", "file://", "/srv/my repo.git"),
    ],
)
def test_a_usable_url_is_taken_apart(url: str, given_to_git: str, origin: str, shown: str | None) -> None:
    address = check(url, allow_file=True)
    assert (address.url, address.origin, address.shown) == (given_to_git, origin, shown or given_to_git)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-upload-pack=touch x",
        "--upload-pack=x",
        "ext::sh -c touch% x",
        "fd::17/foo",
        "ssh://-oProxyCommand=touch x/a",
        "ssh://git@-oProxyCommand=x/a",
        "-oProxyCommand=x@host:a",
        "git@host:-oProxyCommand=x",
        "git@-host:a",
        "git@host::a",
        "git://host/a",
        "ftp://host/a",
        "HTTPS://host/a",
        "https://host",
        "https:///a",
        "https://host/a b",
        "https://host/a\n",
        "https://host/a\\b",
        "https://host/a?private_token=hunter2",
        "https://host:0/a",
        "https://host:99999/a",
        "https://host#@evil/a",
        "https://host\\@evil/a",
        "http://git.example.com/a",
        "http://localhost.example.com/a",
        "relative/path",
        "file://host/a",
        "host:path",
        "/srv/a\nb",
    ],
)
def test_any_other_form_is_refused_with_the_way_out(url: str) -> None:
    with pytest.raises(Terminal, match="https://") as caught:
        check(url, allow_file=True)
    assert caught.value.reason == Reason.INVALID_SPEC
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hunter2@host/a",
        "https://:hunter2@host/a",
        "http://ada:hunter2@localhost/a",
        "ssh://git:hunter2@host/a",
        "https://ada:hun/ter2@host/a",
        "https://ada:hunter2@ada:hunter2@host/a",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Terminal) as caught:
        check(url, allow_file=True)
    assert "ter2" not in caught.value.message
    assert caught.value.reason == Reason.INVALID_SPEC


def test_a_folder_is_refused_unless_allowed() -> None:
    for url in ("/srv/a.git", "file:///srv/a.git"):
        with pytest.raises(Terminal, match="a folder of this machine, which is not allowed here"):
            check(url, allow_file=False)


def test_plain_http_beyond_loopback_must_be_allowed() -> None:
    assert check("http://gitea.ci:3000/a", allow_file=False, allow_http=True).host == "gitea.ci"
