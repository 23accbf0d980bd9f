"""The hook that Dispatch keeps at a forge: where it leads, and the secret that signs what it brings."""

from __future__ import annotations

import hashlib
import hmac

PATH = "/hooks/git"
_MARK = 12


def secret_of(key: bytes, namespace: str, name: str) -> str:
    """The secret of one Repository's hook (64 hex digits), made of a key that several may share: who learns the secret
    of one learns neither the key nor the secret of another."""
    return hmac.new(key, f"dispatch.dev/webhook/{namespace}/{name}".encode(), hashlib.sha256).hexdigest()


def address(base: str, namespace: str, name: str) -> str:
    """Where the events of a Repository are taken; `base` is the public address of the controller."""
    return f"{base.rstrip('/')}{PATH}/{namespace}/{name}"


def hook_url(base: str, namespace: str, name: str, secret: str) -> str:
    """The address with a mark of the secret behind it: no forge tells a secret, and Gitea lets nobody change it, so the
    URL says whether a hook has the present one. The mark is 48 bits of a hash: it tells nothing of the secret."""
    mark = hashlib.sha256(f"mark of {secret}".encode()).hexdigest()[:_MARK]
    return f"{address(base, namespace, name)}?key={mark}"


def same_place(one: str, other: str) -> bool:
    """Whether two hooks lead to the same Repository, whatever their secrets."""
    return one.partition("?")[0] == other.partition("?")[0]
