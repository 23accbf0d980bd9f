"""A commit that was made, made again with a signature by an SSH key, as `git commit -S` does with gpg.format=ssh.

ssh-keygen reads the key from a memory file, as ssh does (`credentials.py`): it is in no argument, in no environment and
on no disk. A signature by ed25519 is the same for the same commit, so that a second try makes no second one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from reconciler.adapters import process
from reconciler.adapters.git.command import GitProgram
from reconciler.adapters.git.committing import Draft
from reconciler.adapters.git.credentials import memory_file
from reconciler.model.outcome import Reason, Terminal, Transient

_PATIENCE = 60.0
_PERSON = re.compile(r"(?P<name>.*) <(?P<address>[^<>]*)>")


def sign(git: GitProgram, path: Path, draft: Draft, commit: str, key: str, started: Callable[[int], None]) -> str:
    """The id of the signed commit in the repository at `path`, of which the caller holds the lock.

    Raises Terminal(CREDENTIALS_NOT_FOUND) for a key that does not sign.
    """
    message = git.local(["cat-file", "commit", commit], path).stdout.partition(b"\n\n")[2]
    parents = ["-p", draft.parent] if draft.parent is not None else []
    with contextlib.ExitStack() as stack:
        file = memory_file("signing key", key.replace("\r\n", "\n").strip() + "\n", stack)
        try:
            done = git.run(
                ["commit-tree", "-S", *parents, f"{commit}^{{tree}}"],
                git_dir=path,
                config=(("gpg.format", "ssh"), ("user.signingKey", file)),
                env=_persons(draft),
                timeout=_PATIENCE,
                stdin=message,
                started=started,
            )
        except process.ProcessError as error:
            raise Transient(Reason.INTERNAL, f"a commit cannot be signed: {error}.") from error
    if done.code:
        raise _failed(done)
    return done.stdout.decode().strip()


def _persons(draft: Draft) -> dict[str, str]:
    found = _PERSON.fullmatch(draft.signature)
    name, address = (found["name"], found["address"]) if found else (draft.signature, "")
    return {
        f"GIT_{who}_{part}": value
        for who in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", name), ("EMAIL", address), ("DATE", f"@{draft.time} +0000"))
    }


def _failed(done: process.Completed) -> Terminal | Transient:
    if done.code < 0:
        return Transient(Reason.INTERNAL, f"a commit cannot be signed: git was ended by signal {-done.code}.")
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Terminal(
        Reason.CREDENTIALS_NOT_FOUND,
        f"a commit cannot be signed: {said[0][:200] if said else 'git ended without a word'}. The Secret in "
        "spec.signing.secretRef must hold an SSH key without a passphrase as ssh-privatekey; it takes git 2.34.",
    )
