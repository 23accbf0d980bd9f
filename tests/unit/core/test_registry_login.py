"""A Secret says who we are at which host, and at no other."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from reconciler.core.registry_login import for_image, login_of
from reconciler.model.image import located
from reconciler.model.outcome import Reason, Terminal


def secret(**fields: str) -> dict[str, str]:
    return {key.replace("_", "."): b64encode(value.encode()).decode() for key, value in fields.items()}


def configured(**auths: object) -> dict[str, str]:
    return {".dockerconfigjson": b64encode(json.dumps({"auths": auths["auths"]}).encode()).decode()}


def test_a_password_without_a_host_is_for_the_image_only() -> None:
    login = login_of(secret(username="robot", password="pw"), "s", "r.example")
    assert for_image(login, located("r.example/team/shop")) == ("robot", "pw")
    assert for_image(login, located("r.example.evil/team/shop")) is None
    assert "pw" not in repr(login)


def test_a_docker_configuration_gives_each_host_its_own() -> None:
    hub = b64encode(b"me:a:b").decode()
    login = login_of(
        configured(
            auths={
                "https://index.docker.io/v1/": {"auth": hub},
                "r.example": {"username": "u", "password": "all"},
                "r.example/team": {"username": "u", "password": "team"},
            }
        ),
        "s",
        "r.example",
    )
    assert for_image(login, located("nginx")) == ("me", "a:b")
    assert for_image(login, located("r.example/team/shop")) == ("u", "team")
    assert for_image(login, located("r.example/teams/shop")) == ("u", "all")


@pytest.mark.parametrize(
    "data",
    [{}, secret(username="u"), {"password": "not base64!"}, {".dockerconfigjson": "e30="}, {".dockerconfigjson": ""}],
)
def test_a_secret_without_use_is_said_by_its_name(data: dict[str, str]) -> None:
    with pytest.raises(Terminal, match="Secret 's'") as found:
        login_of(data, "s", "r.example")
    assert found.value.reason is Reason.CREDENTIALS_NOT_FOUND
