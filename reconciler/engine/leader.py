"""One controller works, the others stand by: this one's part in the election, by a Lease (core/leading.py).

Two threads. One asks the API server; the other watches the time, so that a server that hangs cannot keep a controller
believing that it leads. And each write asks `permit` once more: a process that was frozen goes on in the middle of a
run, before either thread has noticed.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from reconciler.core.leading import Move, Record, Sighting, Terms, claimed, decide, given_back, record_of, sighted
from reconciler.engine.progress import Abandoned
from reconciler.model.change import Answer, Refusal, Resource
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.ports import Clock, Cluster

log = logging.getLogger(__name__)

LEASE = Resource("coordination.k8s.io/v1", "Lease", "leases", True)
_SPREAD = 1.2
"""Those that stand by spread their looks by this factor (client-go's JitterFactor), so that not all ask at once."""
_LAST_WORD = 2.0
"""Seconds for a request under way when the process is to stop."""


class Place(NamedTuple):
    """The Lease that all controllers of one installation want."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Deposed(StageError):
    """This controller led and does not any more: the process must end, and may start again as one that stands by."""


class Leader:
    """`start`, then `stop` once all work has ended. `me` names this process and no other one, ever."""

    def __init__(self, cluster: Cluster, clock: Clock, place: Place, me: str, terms: Terms | None = None) -> None:
        """`cluster` is a connection of its own: the work must not hold up a renewal."""
        self._cluster = cluster
        self._clock = clock
        self._place = place
        self._me = me
        self._terms = terms or Terms()
        self._seen: Sighting | None = None
        self._since: float | None = None
        self._closed = False
        self._stopped = threading.Event()
        self._trouble = ""
        self._guard = threading.Lock()

    def start(self, leads: Callable[[], None], lost: Callable[[Deposed], None]) -> None:
        """`leads` is called once, when this controller may work; `lost` once after that, when it may not any more. Both
        are called from threads that must go on, so they return at once."""
        self._leads, self._lost = leads, lost
        self._asking = threading.Thread(target=self._ask, name="lease", daemon=True)
        self._asking.start()

    def stop(self, *, give_back: bool) -> None:
        """With `give_back` the next one may begin at once: only when nothing of ours is under way any more."""
        self._stopped.set()
        self._asking.join(_LAST_WORD)
        led = self.leads()
        self._closed = True
        if give_back and led and not self._asking.is_alive():
            self._give_back()

    def leads(self) -> bool:
        """Whether this process may write now, by its own clock alone."""
        since = self._since
        return since is not None and not self._closed and self._clock.monotonic() - since < self._terms.deadline

    def permit(self) -> None:
        """To be asked before each write. Raises Abandoned when this process does not lead any more."""
        if not self.leads():
            raise Abandoned(Reason.SUPERSEDED, f"this controller does not hold the lease {self._place} any more")

    def standing(self) -> str:
        """Who leads, for people."""
        if self.leads():
            return f"leads: holds the lease {self._place}"
        record = self._seen.record if self._seen is not None else None
        if self._trouble:
            return f"stands by: {self._trouble}"
        if record is None or record.holder in ("", self._me):
            return f"stands by: the lease {self._place} is not taken yet"
        return f"stands by: {record.holder} holds the lease {self._place}"

    def _ask(self) -> None:
        while not self._stopped.is_set() and not self._closed:
            try:
                self._turn()
                self._trouble = ""
            except StageError as error:
                self._troubled(error.message)
            except Exception:
                # A defect must not end the one thread that could still take the lease.
                log.exception("a look at the lease failed in a way that it should not")
            spread = 1.0 if self._since is not None else random.uniform(1.0, _SPREAD)  # noqa: S311 (no secret: a wait)
            self._stopped.wait(self._terms.retry * spread)

    def _turn(self) -> None:
        """One look and what follows from it; one that leads renews without a look, as long as nobody else writes."""
        if self.leads() and self._put():
            return
        document = self._cluster.read(LEASE, *self._place)
        now = self._clock.monotonic()
        seen = self._seen = sighted(self._seen, record_of(document) if document is not None else None, now)
        match decide(seen, self._me, self._since, now, self._terms):
            case Move.STEP_DOWN:
                holder = seen.record.holder if seen.record is not None else self._me
                self._lose(self._too_late() if holder == self._me else f"{holder or 'somebody else'} has taken it")
            case Move.CLAIM | Move.RENEW:
                self._put()

    def _put(self) -> bool:
        """Write our claim upon what was seen last; False when somebody else has written meanwhile."""
        asked = self._clock.monotonic()
        record = self._seen.record if self._seen is not None else None
        answer = self._written(record, claimed(record, self._me, self._clock.now(), self._terms))
        if isinstance(answer, Refusal):
            if answer.code in (404, 409):
                return False
            raise Terminal(Reason.FORBIDDEN, f"{answer.message}. `dispatch install` gives the right to {self._place}")
        self._seen = sighted(self._seen, record_of(answer), self._clock.monotonic())
        self._granted(asked)
        return True

    def _granted(self, asked: float) -> None:
        with self._guard:
            began = self._since is None
            # Granted after the deadline: the work has been given up, and must not come to life again.
            if self._closed or not (began or self.leads()):
                return
            self._since = asked
        if began:
            log.info("this controller leads", extra={"why": f"{self._me} holds the lease {self._place}"})
            threading.Thread(target=self._watch, name="lease-deadline", daemon=True).start()
            self._leads()

    def _written(self, record: Record | None, spec: dict[str, Any]) -> Answer:
        namespace, name = self._place
        if record is None:
            head = {"apiVersion": LEASE.api_version, "kind": LEASE.kind}
            document = {**head, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
            return self._cluster.create(LEASE, namespace, document)
        # With the version that was seen, which makes the server refuse it where anybody has written since.
        patch = {"metadata": {"resourceVersion": record.version}, "spec": spec}
        return self._cluster.patch(LEASE, namespace, name, patch)

    def _watch(self) -> None:
        while not self._stopped.is_set() and self._since is not None:
            left = self._since + self._terms.deadline - self._clock.monotonic()
            if left <= 0:
                self._lose(self._too_late())
                return
            self._stopped.wait(left)

    def _too_late(self) -> str:
        why = f" ({self._trouble})" if self._trouble else ", as after a process that was frozen"
        return f"it was not renewed for {self._terms.deadline:g} s{why}"

    def _lose(self, why: str) -> None:
        with self._guard:
            if self._closed or self._stopped.is_set():
                return
            self._closed = True
        self._lost(
            Deposed(
                Reason.SUPERSEDED,
                f"this controller lost the lease {self._place}: {why}. Another one may work now, so this one has "
                "stopped; started again it stands by",
            )
        )

    def _give_back(self) -> None:
        record = self._seen.record if self._seen is not None else None
        if record is None or record.holder != self._me:
            return
        try:
            answer = self._written(record, given_back(record, self._clock.now()))
        except StageError as error:
            log.warning(
                "the lease could not be given back: the next one waits for its end", extra={"why": error.message}
            )
            return
        if not isinstance(answer, Refusal):
            log.info("the lease is given back", extra={"why": f"{self._place}"})

    def _troubled(self, why: str) -> None:
        if why != self._trouble:
            log.warning("the lease cannot be had", extra={"why": why})
        self._trouble = why
