"""Commits that are signed: held on every kind of remote, and to git's own judgement."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from adapters.git.upstream import Upstream
from contract.test_source_writing import take

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Remote


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ed25519 key; its public half lies beside it."""
    path = tmp_path_factory.mktemp("keys") / "signing"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dispatch", "-f", str(path)], check=True)
    return path


def verified(upstream: Upstream, commit: str, key: Path) -> str:
    """What `git verify-commit` says; it fails for a commit that this key has not signed."""
    allowed = key.parent / "allowed"
    allowed.write_text(f"dispatch@dispatch.dev {key.with_suffix('.pub').read_text()}")
    config = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}"]
    command = ["git", *config, "verify-commit", "--verbose", commit]
    done = subprocess.run(command, cwd=upstream.path, capture_output=True, text=True, check=True)
    return done.stderr


def test_a_commit_is_signed_so_that_git_verifies_it_and_is_the_same_each_time(
    source: GitSource, remote: Remote, upstream: Upstream, key: Path
) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    signing = remote._replace(signing_key=key.read_text())
    message = "wörds\n\nA body\n\nKey: value\n"
    commit = source.commit(signing, parent, {"b": b"2"}, message)
    assert source.commit(signing, parent, {"b": b"2"}, message) == commit
    source.push(signing, commit, "refs/heads/main", parent)
    assert 'Good "git" signature for dispatch@dispatch.dev with ED25519 key' in verified(upstream, commit, key)
    assert source.message(remote, commit) == message
    plain = source.commit(remote, parent, {"b": b"2"}, message)
    assert plain != commit
    shown = "--format=%T %P %an %ae %at %cn %ce %ct %B"
    assert upstream.git("rev-parse", f"{commit}^") == parent and upstream.git("show", f"{commit}:b") == "2"
    assert upstream.git("fsck", "--strict") == ""
    source.push(remote, plain, "refs/heads/plain", None)
    assert upstream.git("show", "-s", shown, commit) == upstream.git("show", "-s", shown, plain)


def test_a_first_commit_is_signed_too(source: GitSource, remote: Remote, upstream: Upstream, key: Path) -> None:
    signing = remote._replace(signing_key=key.read_text())
    commit = source.commit(signing, None, {}, "first")
    source.push(signing, commit, "refs/dispatch/state/x", None)
    assert "Good" in verified(upstream, commit, key)


@pytest.mark.parametrize("phrase", ["none", "secret phrase"])
def test_a_key_that_does_not_sign_is_named_and_nothing_is_made(
    source: GitSource, remote: Remote, upstream: Upstream, tmp_path: Path, phrase: str
) -> None:
    upstream.commit({"a": b"1"})
    parent = take(source, remote)
    path = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", str(path)], check=True)
    text = "no key at all" if phrase == "none" else path.read_text()
    with pytest.raises(Terminal, match=r"spec\.signing\.secretRef") as caught:
        source.commit(remote._replace(signing_key=text), parent, {"b": b"2"}, "x")
    assert caught.value.reason is Reason.CREDENTIALS_NOT_FOUND
    assert phrase not in caught.value.message or phrase == "none"
    assert not any(line in caught.value.message for line in text.splitlines() if len(line) > 20)


def test_the_key_is_in_no_argument_in_no_environment_and_in_no_file(
    source: GitSource, remote: Remote, upstream: Upstream, key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program in the place of ssh-keygen writes down what it is given, then does its work."""
    real = subprocess.run(["which", "ssh-keygen"], capture_output=True, text=True, check=True).stdout.strip()
    spy = tmp_path / "bin" / "ssh-keygen"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\n{{ printf "%s\\n" "$@"; env; }} >>{tmp_path}/seen\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    upstream.commit({"a": b"1"})
    source.commit(remote._replace(signing_key=key.read_text()), take(source, remote), {"b": b"2"}, "x")
    seen = (tmp_path / "seen").read_text()
    lines = [line for line in key.read_text().splitlines() if not line.startswith("-----")]
    assert "-Y" in seen and not any(line in seen for line in lines)
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and lines[1].encode() in path.read_bytes()]
    assert kept == []
    assert lines[1] not in repr(remote._replace(signing_key=key.read_text()))
