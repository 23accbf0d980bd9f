"""Gitea's own mark of a signed commit: what its account must hold so that a commit of Dispatch is "verified"."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from gitea_town import Person, Town

from reconciler.adapters.git import GitSource
from reconciler.sandbox.platform import Sandbox

ADDRESS = "dispatch@dispatch.dev"


@pytest.fixture
def town(gitea: Sandbox) -> Iterator[Town]:
    """No two accounts of one Gitea have one address."""
    made = Town(gitea)
    made.call_with_password("POST", "/user/emails", {"emails": [ADDRESS]}, made.bot)
    yield made
    made.call_with_password("DELETE", "/user/emails", {"emails": [ADDRESS]}, made.bot)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dispatch", "-f", str(path)], check=True)
    return path


def fingerprint(key: Path) -> str:
    said = subprocess.run(["ssh-keygen", "-lf", key], check=True, capture_output=True, text=True).stdout
    return said.split()[1]


def verification(town: Town, folder: Path, key: Path, mark: str) -> dict[str, Any]:
    """What Gitea says of a commit that Dispatch makes and signs now."""
    remote = town.remote()._replace(signing_key=key.read_text())
    with contextlib.closing(GitSource(folder / mark, allow_file=False)) as source:
        refs = source.refs(remote)
        source.fetch(remote, refs["refs/heads/main"], refs)
        commit = source.commit(remote, refs["refs/heads/main"], {"a": mark.encode()}, mark)
        source.push(remote, commit, f"refs/heads/dispatch/{mark}", None)
    found: dict[str, Any] = town.ask("GET", f"/git/commits/{commit}")["commit"]["verification"]
    return found


def prove(town: Town, person: Person, key: Path) -> None:
    """As the page of the account's keys has it: "Verify", sign what it shows, paste the signature."""
    web = urllib3.PoolManager(retries=False, timeout=30)
    page, mark = f"{town.url}/user/settings/keys", fingerprint(key)
    entered = web.request_encode_body(
        "POST",
        f"{town.url}/user/login",
        fields={"user_name": person.name, "password": person.password},
        encode_multipart=False,
        redirect=False,  # type: ignore[arg-type]
    )
    assert entered.status == 303, entered.data
    # The session has a new cookie once somebody has entered; the last of each name holds.
    given = dict(each.partition(";")[0].split("=", 1) for each in entered.headers.getlist("set-cookie"))
    jar = "; ".join(f"{name}={value}" for name, value in given.items() if value)
    shown = web.request("GET", page, fields={"verify_ssh": mark}, headers={"Cookie": jar}).data.decode()
    token = re.search(r"echo -n (?:&#39;|')([0-9a-f]{64})(?:&#39;|') \| ssh-keygen -Y sign -n gitea", shown)
    assert token is not None, shown
    signed = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "gitea", "-f", key],
        input=token[1].encode(),
        capture_output=True,
        check=True,
    ).stdout.decode()
    form = {"title": "none", "content": key.with_suffix(".pub").read_text(), "fingerprint": mark}
    answer = web.request_encode_body(
        "POST",
        page,
        fields={**form, "signature": signed, "type": "verify_ssh"},
        encode_multipart=False,
        headers={"Cookie": jar},
        redirect=False,  # type: ignore[arg-type]
    )
    assert answer.status == 303, answer.data


def test_a_signed_commit_is_verified_once_the_account_has_the_address_and_has_proven_the_key(
    town: Town, key: Path, tmp_path: Path
) -> None:
    unknown = verification(town, tmp_path, key, "unknown")
    assert (unknown["verified"], unknown["reason"]) == (False, "gpg.error.no_gpg_keys_found")
    assert "BEGIN SSH SIGNATURE" in unknown["signature"]

    # To be told of the key is not enough: anybody may put anybody's public key into their account.
    public = {"title": "dispatch", "key": key.with_suffix(".pub").read_text()}
    town.call_with_password("POST", "/user/keys", public, town.bot)
    assert verification(town, tmp_path, key, "told")["verified"] is False

    prove(town, town.bot, key)
    proven = verification(town, tmp_path, key, "proven")
    assert proven["verified"] is True
    assert proven["reason"] == f"{town.bot.name} / {fingerprint(key)}"
    assert proven["signer"]["email"] == ADDRESS
