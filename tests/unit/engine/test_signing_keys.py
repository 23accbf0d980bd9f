"""Which keys may sign commits, and what is said of the others."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from reconciler.engine.signing_keys import key_of
from reconciler.model.outcome import Reason, Terminal


def made(folder: Path, *options: str) -> str:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(path), *options], check=True)
    return path.read_text()


def data(text: str) -> dict[str, str]:
    return {"ssh-privatekey": base64.b64encode(text.encode()).decode()}


def test_an_ed25519_key_of_openssh_is_taken_as_it_is(tmp_path: Path) -> None:
    text = made(tmp_path, "-t", "ed25519")
    assert key_of(data(text), "team-a", "signing") == text


@pytest.mark.parametrize("options", [("-t", "rsa", "-b", "2048"), ("-t", "ecdsa")], ids=["rsa", "ecdsa"])
def test_a_key_of_another_kind_is_refused_because_its_signatures_may_differ(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    text = made(tmp_path, *options)
    with pytest.raises(Terminal, match="ssh-keygen -t ed25519") as caught:
        key_of(data(text), "team-a", "signing")
    assert caught.value.reason is Reason.CREDENTIALS_NOT_FOUND
    assert text.splitlines()[1] not in caught.value.message


@pytest.mark.parametrize(
    "given", [None, {}, {"ssh-privatekey": "%%"}, data("no key"), data("-----BEGIN OPENSSH PRIVATE KEY-----\nx")]
)
def test_a_secret_without_a_key_is_named_with_its_namespace(given: dict[str, str] | None) -> None:
    with pytest.raises(Terminal, match=r"Secret 'signing' in namespace 'team-a', which spec\.signing\.secretRef names"):
        key_of(given, "team-a", "signing")
