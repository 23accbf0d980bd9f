"""Pushes from pipelines: a hint that something is new, taken when it is signed, never trusted for what is new."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections.abc import Callable

from reconciler.engine.keys import Key
from reconciler.engine.secret_data import secret_data
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.repository import SecretName
from reconciler.ports import Cluster

_FIELD = "token"
_PREFIX = "sha256="
_REREAD = 30.0
"""Seconds between two looks at a Secret because of signatures that were wrong: it may have been changed."""


class Hooks:
    """The secrets of the feeds, in memory, so that a push is answered at once. Safe for many threads."""

    def __init__(self, wake: Callable[[Key], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._secrets: dict[Key, tuple[str, bytes]] = {}
        self._stale: set[Key] = set()
        self._reread: dict[Key, float] = {}

    def learn(self, cluster: Cluster, key: Key, reference: SecretName | None) -> None:
        """Read the Secret of a feed, once, and again when a signature was wrong. Raises Terminal when it has no token.

        Without a reference the hook is closed.
        """
        if reference is None:
            self.forget(key)
            return
        with self._lock:
            known = self._secrets.get(key)
            if known is not None and known[0] == reference.name and key not in self._stale:
                return
            self._stale.discard(key)
        data = secret_data(cluster, key.namespace, reference.name) or {}
        try:
            token = base64.b64decode(data.get(_FIELD, ""), validate=True).strip()
        except binascii.Error:
            token = b""
        if not token:
            self.forget(key)
            raise Terminal(
                Reason.CREDENTIALS_NOT_FOUND,
                f"Secret {reference.name!r} in namespace {key.namespace!r} has no field {_FIELD!r} to sign pushes "
                "with: add it or mend spec.secretRef.name",
            )
        with self._lock:
            self._secrets[key] = (reference.name, token)

    def forget(self, key: Key) -> None:
        with self._lock:
            self._secrets.pop(key, None)
            self._stale.discard(key)
            self._reread.pop(key, None)

    def take(self, namespace: str, name: str, body: bytes, signature: str) -> int:
        """The HTTP status for one push: 202 (the feed is woken), 401 for a wrong signature, 404 where none is taken."""
        key = Key("ImageFeed", namespace, name)
        with self._lock:
            known = self._secrets.get(key)
        if known is None:
            return 404
        wanted = hmac.new(known[1], body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"{_PREFIX}{wanted}".encode(), signature.encode("utf-8", "replace")):
            self._doubt(key)
            return 401
        self._wake(key)
        return 202

    def _doubt(self, key: Key) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._reread.get(key, -_REREAD) < _REREAD:
                return
            self._reread[key] = now
            self._stale.add(key)
        self._wake(key)
