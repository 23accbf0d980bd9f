"""Events of forges: a hint that something is new, taken when it is genuine, never trusted for what is new."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.delivery import About, Delivery, Sent, begin
from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.ports import Clock

_GRACE = 600.0
"""Seconds for which the former secret is good: what was on its way, and what the forge sends again, still counts."""
_KEPT = 20_000
"""Deliveries that are remembered, of all Repositories together: about 5 MB. What was forgotten, or what came before the
process started, is taken again when it is replayed: that costs one look at the remote."""
_REREAD = 30.0
"""Seconds between two looks at a Repository because of signatures that were wrong: its Secret may have been changed."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """How the events of one Repository are told: the kind of its forge, its secret, the one before until `until`
    (seconds of the monotonic clock)."""

    kind: str
    secret: str
    former: str = ""
    until: float = 0.0

    def secrets(self, now: float) -> tuple[str, ...]:
        return (self.secret, self.former) if self.former and now < self.until else (self.secret,)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came for one Repository. `refs_at` is when an event last told of refs, in seconds of the monotonic clock;
    `refused` is how many were not genuine since the process started."""

    last: datetime | None = None
    refs_at: float = float("-inf")
    refused: int = 0


class GitHooks:
    """Secrets and what was heard, in memory, so that an event is answered at once. Safe for many threads."""

    def __init__(self, wake: Callable[[Key], None], catalog: Catalog, clock: Clock) -> None:
        self._wake = wake
        self._catalog = catalog
        self._clock = clock
        self._lock = threading.Lock()
        self._bound: dict[Key, _Bound] = {}
        self._heard: dict[Key, Heard] = {}
        self._reread: dict[Key, float] = {}
        self._known: OrderedDict[tuple[Key, bytes], None] = OrderedDict()

    def learn(self, key: Key, kind: str, secret: str) -> None:
        """From now on the events of a Repository are signed so; for a while also as they were before."""
        with self._lock:
            before = self._bound.get(key)
            if before is not None and (before.kind, before.secret) == (kind, secret):
                return
            former = before.secret if before is not None and before.kind == kind else ""
            self._bound[key] = _Bound(kind, secret, former, self._clock.monotonic() + _GRACE)

    def forget(self, key: Key) -> None:
        """No event is taken for it any more."""
        with self._lock:
            for kept in (self._bound, self._heard, self._reread):
                kept.pop(key, None)

    def heard(self, key: Key) -> Heard:
        with self._lock:
            return self._heard.get(key, Heard())

    def begin(self, namespace: str, name: str, headers: Mapping[str, str]) -> Receiving | int:
        """What takes the body of one request, or the HTTP status for one whose body need not be read: 404 where none is
        taken, 401 without a signature that counts."""
        key = Key("Repository", namespace, name)
        with self._lock:
            bound = self._bound.get(key)
        if bound is None:
            return 404
        delivery = begin(bound.kind, headers, bound.secrets(self._clock.monotonic()), time.time())
        if delivery is None:
            self._refuse(key)
            return 401
        return Receiving(delivery, lambda sent: self._taken(key, sent))

    def _taken(self, key: Key, sent: Sent | None) -> int:
        """The HTTP status: 202, also for what has come before, which wakes nobody; 401."""
        if sent is None:
            self._refuse(key)
            return 401
        if not self._remember(key, sent):
            return 202
        if sent.about is not About.NOTHING:
            self._wake(key)
        if sent.about in (About.REQUESTS, About.ANYTHING):
            for other in (*self._catalog.promotions_in(key), *self._catalog.feeds_of(key)):
                self._wake(other)
        return 202

    def _remember(self, key: Key, sent: Sent) -> bool:
        """False for what has come before."""
        ids = [(key, id) for id in sent.ids]
        with self._lock:
            again = any(id in self._known for id in ids)
            for id in ids:
                self._known[id] = None
                self._known.move_to_end(id)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            if again:
                return False
            heard = self._heard.get(key, Heard())
            refs_at = self._clock.monotonic() if sent.about in (About.REFS, About.ANYTHING) else heard.refs_at
            self._heard[key] = replace(heard, last=self._clock.now().replace(microsecond=0), refs_at=refs_at)
        return True

    def _refuse(self, key: Key) -> None:
        now = self._clock.monotonic()
        with self._lock:
            heard = self._heard.get(key, Heard())
            self._heard[key] = replace(heard, refused=heard.refused + 1)
            if now - self._reread.get(key, float("-inf")) < _REREAD:
                return
            self._reread[key] = now
        self._wake(key)


class Receiving:
    """One request that is being read; nothing of its body is kept."""

    def __init__(self, delivery: Delivery, taken: Callable[[Sent | None], int]) -> None:
        self._delivery = delivery
        self._taken = taken

    def update(self, piece: bytes) -> None:
        self._delivery.update(piece)

    def finish(self) -> int:
        """The HTTP status."""
        return self._taken(self._delivery.finish())
