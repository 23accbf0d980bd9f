"""The commits that Dispatch writes are signed where a Repository says so, on a real Gitea."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

from promoting import Environments
from team import eventually, git


def test_the_commit_of_a_promotion_is_signed_and_none_is_made_before_the_key_can_be_read(
    environments: Environments, tmp_path: Path
) -> None:
    key, allowed, clone = tmp_path / "key", tmp_path / "allowed", tmp_path / "clone"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed.write_text(f"dispatch@dispatch.dev {key.with_suffix('.pub').read_text()}")
    environments.start(gates=[{"hold": True}])
    environments.read_repository(signing={"secretRef": {"name": "signing"}})
    eventually(
        lambda: "spec.signing.secretRef" in environments.condition("config", kind="Repository").get("message", ""), 60
    )
    environments.stage("shop:2")
    assert environments.requests() == []

    data = {"ssh-privatekey": base64.b64encode(key.read_bytes()).decode()}
    environments.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "signing"}, "data": data})
    state = environments.until("Open")
    git("clone", "--quiet", "--mirror", environments.owners_url, str(clone), at=tmp_path)
    config = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}"]
    subprocess.run(["git", *config, "verify-commit", state["head"]], cwd=clone, check=True, capture_output=True)
