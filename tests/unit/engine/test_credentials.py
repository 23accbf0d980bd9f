"""What a Secret gives to git, and the word about one that gives nothing."""

from __future__ import annotations

import base64

import pytest

from reconciler.engine.repositories import credentials_of
from reconciler.model.outcome import Terminal
from reconciler.model.repository import RepositorySpec
from reconciler.ports import GitCredentials, GitHubApp

SPEC = RepositorySpec(url="https://github.com/team/config.git")
APP = {"githubAppID": "12", "githubAppInstallationID": "345", "githubAppPrivateKey": "hidden\n"}


def secret(**texts: str) -> dict[str, str]:
    return {
        name.replace("__", "-").replace("ca_crt", "ca.crt"): base64.b64encode(text.encode()).decode()
        for name, text in texts.items()
    }


def test_user_name_and_password() -> None:
    found = credentials_of(secret(username="ada", password="word"), "s", SPEC)
    assert (found.username, found.password, found.ssh_key) == ("ada", "word", "")


@pytest.mark.parametrize("field", ["password", "token", "bearerToken"])
def test_a_token_alone_is_enough(field: str) -> None:
    assert credentials_of(secret(**{field: "t"}), "s", SPEC).password == "t"


@pytest.mark.parametrize("field", ["ssh-privatekey", "identity"])
def test_a_key_with_known_hosts(field: str) -> None:
    found = credentials_of({**secret(known_hosts="h"), **secret(**{field.replace("-", "__"): "k"})}, "s", SPEC)
    assert (found.ssh_key, found.known_hosts) == ("k", "h")


def test_an_authority_alone_is_enough() -> None:
    assert credentials_of(secret(ca_crt="pem"), "s", SPEC).ca == "pem"


def forged(kind: str, **more: str) -> RepositorySpec:
    forge = {"kind": kind, **more}
    return RepositorySpec.model_validate({"url": SPEC.url, "credentialsRef": {"name": "s"}, "forge": forge})


def test_a_github_app_is_asked_where_the_api_of_the_repository_is() -> None:
    found = credentials_of(secret(**APP), "s", SPEC)
    assert found.app == GitHubApp("12", "345", "hidden", "https://api.github.com", "config")
    assert "hidden" not in repr(found) and "hidden" not in repr(found.app)
    assert credentials_of(secret(**APP), "s", forged("github")).app == found.app
    elsewhere = credentials_of(secret(**APP), "s", forged("github", apiUrl="https://h/api/v3")).app
    assert elsewhere is not None and elsewhere.api == "https://h/api/v3"


@pytest.mark.parametrize("field", APP)
def test_a_github_app_that_is_told_in_part_is_no_app(field: str) -> None:
    with pytest.raises(Terminal, match=f"GitHub App without {field}") as caught:
        credentials_of(secret(**{**APP, field: " "}), "s", SPEC)
    assert "hidden" not in caught.value.message


def test_a_github_app_at_another_forge_is_refused() -> None:
    with pytest.raises(Terminal, match=r"spec\.forge\.kind is gitlab"):
        credentials_of(secret(**APP), "s", forged("gitlab"))


def test_a_secret_without_any_of_them_is_told_by_name_with_the_fields_that_it_needs() -> None:
    with pytest.raises(Terminal, match=r"'git-access'.*password.*ssh-privatekey"):
        credentials_of(secret(user="ada"), "git-access", SPEC)


def test_a_field_that_is_no_text_is_named_and_its_value_is_not() -> None:
    with pytest.raises(Terminal, match="'password'") as caught:
        credentials_of({"password": base64.b64encode(b"\xff\xfehidden").decode()}, "s", SPEC)
    assert "hidden" not in caught.value.message


def test_printed_by_mistake_they_tell_nothing() -> None:
    assert "hidden" not in repr(GitCredentials(username="ada", password="hidden", ssh_key="hidden"))
    assert "password=***" in repr(GitCredentials(password="hidden"))
