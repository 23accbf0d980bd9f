"""What a Secret gives to git, and the word about one that gives nothing."""

from __future__ import annotations

import base64

import pytest

from reconciler.engine.repositories import credentials_of
from reconciler.model.outcome import Terminal
from reconciler.ports import GitCredentials


def secret(**texts: str) -> dict[str, str]:
    return {
        name.replace("__", "-").replace("ca_crt", "ca.crt"): base64.b64encode(text.encode()).decode()
        for name, text in texts.items()
    }


def test_user_name_and_password() -> None:
    found = credentials_of(secret(username="ada", password="word"), "s")
    assert (found.username, found.password, found.ssh_key) == ("ada", "word", "")


@pytest.mark.parametrize("field", ["password", "token", "bearerToken"])
def test_a_token_alone_is_enough(field: str) -> None:
    assert credentials_of(secret(**{field: "t"}), "s").password == "t"


@pytest.mark.parametrize("field", ["ssh-privatekey", "identity"])
def test_a_key_with_known_hosts(field: str) -> None:
    found = credentials_of({**secret(known_hosts="h"), **secret(**{field.replace("-", "__"): "k"})}, "s")
    assert (found.ssh_key, found.known_hosts) == ("k", "h")


def test_an_authority_alone_is_enough() -> None:
    assert credentials_of(secret(ca_crt="pem"), "s").ca == "pem"


def test_a_secret_without_any_of_them_is_told_by_name_with_the_fields_that_it_needs() -> None:
    with pytest.raises(Terminal, match=r"'git-access'.*password.*ssh-privatekey"):
        credentials_of(secret(user="ada"), "git-access")


def test_a_field_that_is_no_text_is_named_and_its_value_is_not() -> None:
    with pytest.raises(Terminal, match="'password'") as caught:
        credentials_of({"password": base64.b64encode(b"\xff\xfehidden").decode()}, "s")
    assert "hidden" not in caught.value.message


def test_printed_by_mistake_they_tell_nothing() -> None:
    assert "hidden" not in repr(GitCredentials(username="ada", password="hidden", ssh_key="hidden"))
    assert "password=***" in repr(GitCredentials(password="hidden"))
