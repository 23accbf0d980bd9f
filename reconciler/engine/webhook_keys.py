"""What a hook is signed with, and what lets Dispatch manage it: read from Secrets at this moment."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from reconciler.core.webhook import secret_of
from reconciler.engine.secret_data import secret_data
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.repository import Repository
from reconciler.ports import Cluster, GitCredentials


@dataclass(frozen=True, slots=True)
class Keys:
    """The secret of the hook, and the credentials with which hooks are managed."""

    secret: str = field(repr=False)
    access: GitCredentials


def keys_of(cluster: Cluster, repository: Repository, credentials: GitCredentials | None) -> Keys:
    """Of a hook that is made by hand the secret is the token as it is; that of a managed one is made of the token, or,
    where there is none, of what lets Dispatch in at the forge, which is a random text, too.

    Raises Terminal(CREDENTIALS_NOT_FOUND), Transient(CLUSTER_UNREACHABLE).
    """
    spec, metadata = repository.spec.webhook, repository.metadata
    access = credentials or GitCredentials()
    token, managed = "", spec is not None and spec.managed
    if spec is not None and spec.secret_ref is not None:
        token, password = _read(cluster, metadata.namespace, spec.secret_ref.name, managed)
        if password:
            access = access._replace(password=password, app=None)
        token = token or password
    if not managed:
        return Keys(token, access)
    key = token or access.password or (access.app.private_key if access.app else "")
    if not key:
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            "there is nothing to make the secret of the hook of: give spec.webhook.secretRef a Secret with a token",
        )
    return Keys(secret_of(key.encode(), metadata.namespace, metadata.name), access)


def _read(cluster: Cluster, namespace: str, name: str, managed: bool) -> tuple[str, str]:
    """(token, password) of a Secret; one of them is there, of a hook that is made by hand the first."""
    data = secret_data(cluster, namespace, name)
    words = f"Secret {name!r} in namespace {namespace!r}, which spec.webhook.secretRef names,"
    if data is None:
        raise Terminal(Reason.CREDENTIALS_NOT_FOUND, f"{words} is not there: create it or mend the name")
    try:
        token, password = (
            base64.b64decode(data.get(field, ""), validate=True).decode().strip() for field in ("token", "password")
        )
    except (binascii.Error, UnicodeDecodeError):
        raise Terminal(Reason.CREDENTIALS_NOT_FOUND, f"{words} holds something that is not UTF-8 text") from None
    if not (token or (managed and password)):
        wanted = "neither a token nor a password" if managed else "no field 'token', the secret of the hook"
        raise Terminal(Reason.CREDENTIALS_NOT_FOUND, f"{words} has {wanted}: add it")
    return token, password
