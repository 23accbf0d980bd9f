"""The keys that sign the commits of Repositories, from the Secrets that these name."""

from __future__ import annotations

import base64
import binascii

from reconciler.engine.keys import Key
from reconciler.engine.secret_data import secret_data
from reconciler.engine.stages.fetch import SYNC
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.repository import Repository
from reconciler.ports import Cluster, Remote

_FIELD = "ssh-privatekey"
_ED25519 = b"ssh-ed25519"
_UNREAD = "the key was not read"
"""Stands where a key must be: with it nothing is signed, and so nothing is written."""


class SigningKeys:
    """A key is read once: again when the Repository is edited, or `dispatch sync` asks for it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[Key, tuple[tuple[int, str], str]] = {}

    def get(self, key: Key, repository: Repository) -> str:
        """Empty where commits are not signed. Raises Terminal(CREDENTIALS_NOT_FOUND) for a Secret without a key."""
        if repository.spec.signing is None:
            return ""
        stand = (repository.metadata.generation, repository.metadata.annotations.get(SYNC, ""))
        known = self._known.get(key)
        if known is None or known[0] != stand:
            name = repository.spec.signing.secret_ref.name
            known = stand, key_of(secret_data(self._cluster, key.namespace, name), key.namespace, name)
            self._known[key] = known
        return known[1]

    def closed(self, repository: Repository, remote: Remote) -> Remote:
        """The remote as it was seen before; without a key that is wanted nothing can be written to it."""
        unsigned = repository.spec.signing is not None and not remote.signing_key
        return remote._replace(signing_key=_UNREAD) if unsigned else remote

    def forget(self, key: Key) -> None:
        self._known.pop(key, None)


def key_of(data: dict[str, str] | None, namespace: str, name: str) -> str:
    """The key in the `data` of a Secret. Only ed25519: it gives the same signature for the same commit, so that one
    that is made twice is one. Raises Terminal(CREDENTIALS_NOT_FOUND).
    """
    where = f"Secret {name!r} in namespace {namespace!r}, which spec.signing.secretRef names"
    if data is None:
        raise Terminal(Reason.CREDENTIALS_NOT_FOUND, f"there is no {where}: create it, or mend the name")
    try:
        text = base64.b64decode(data.get(_FIELD, ""), validate=True).decode()
        inside = base64.b64decode("".join(line for line in text.splitlines() if not line.startswith("-----")))
    except (binascii.Error, UnicodeDecodeError):
        text, inside = "", b""
    if "BEGIN OPENSSH PRIVATE KEY" not in text or _ED25519 not in inside:
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            f"the {where}, has no ed25519 key of OpenSSH as {_FIELD}: make one with `ssh-keygen -t ed25519 -N ''`",
        )
    return text
