"""Who we are to the API server, kept fresh.

Credentials change while a process lives: service account tokens rotate (bound tokens last an hour), plug-ins give
tokens that expire, people log in again. `state` asks at most every ten seconds whether there is a newer token;
`renew`, after a 401, reads everything again.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.adapters.kube.channel import Channel
from reconciler.adapters.kube.credentials import Load, Settings
from reconciler.adapters.kube.transport import head_of, open_channel, pool_of, prefix_of

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool

log = logging.getLogger(__name__)

FRESH = 10.0
"""Seconds between two questions whether the token has changed; the loaders renew five minutes before its end."""

RENEW_EVERY = 10.0
"""Seconds between two readings after a 401: a refused user must not run a plug-in for each request."""

_reading = threading.Lock()
"""The loader remembers the files that it wrote for the whole process, so two readings would delete each other's."""


@dataclass(frozen=True, slots=True)
class State:
    """One reading. `prefix` is put before every path, `head` holds the header lines that every request has."""

    generation: int
    settings: Settings
    pool: HTTPConnectionPool
    prefix: bytes
    head: bytes


class Access:
    """`title` names the source of the credentials for people. Raises what `load` raises."""

    def __init__(self, load: Load, title: str, user_agent: str) -> None:
        self.title = title
        self._load = load
        self._user_agent = user_agent
        self._lock = threading.Lock()
        self._state = self._read(0)
        self._fresh_until = time.monotonic() + FRESH
        self._renewed_at = float("-inf")

    @property
    def url(self) -> str:
        return self._state.settings.server

    def state(self) -> State:
        """The reading to use now, with a token that is not about to expire."""
        if time.monotonic() >= self._fresh_until and self._lock.acquire(blocking=False):
            try:
                self._fresh_until = time.monotonic() + FRESH
                self._refresh()
            finally:
                self._lock.release()
        return self._state

    def renew(self, generation: int) -> bool:
        """Read everything again, unless somebody has since `generation`; False when that was only just done.

        Raises what `load` raises.
        """
        with self._lock:
            if self._state.generation != generation:
                return True
            if time.monotonic() - self._renewed_at < RENEW_EVERY:
                return False
            self._renewed_at = time.monotonic()
            self._state = self._read(generation + 1)
            return True

    def open(self) -> Channel:
        """A new connection, with the client certificate where one is used. Raises Lost."""
        state = self._state
        return open_channel(state.pool, state.generation)

    def _refresh(self) -> None:
        state = self._state
        try:
            head = head_of(state.settings, state.settings.authorization(), self._user_agent, self.title)
        except Exception as error:
            # The old token may still be good; if it is not, a 401 says so and everything is read again.
            fields = {"source": self.title, "why": type(error).__name__}
            log.warning("the credentials could not be refreshed", extra=fields)
            return
        if head != state.head:
            self._state = replace(state, head=head)

    def _read(self, generation: int) -> State:
        """Keys that the loader has to write to files live as long as it takes to load them from there."""
        with _reading, tempfile.TemporaryDirectory(prefix="dispatch-") as folder:
            settings = self._load(Path(folder))
            pool = pool_of(settings, self.title)
        head = head_of(settings, settings.authorization(), self._user_agent, self.title)
        return State(generation, settings, pool, prefix_of(settings, pool), head)
