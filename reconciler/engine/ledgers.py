"""What Git remembers of each Application's versions: read when its ref has moved, written with a lease."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from reconciler.core.ledger import parse, ref_of, write
from reconciler.engine.keys import Key
from reconciler.engine.sources import Seen
from reconciler.model.ledger import Ledger
from reconciler.model.outcome import Reason, Transient
from reconciler.ports import Source


@dataclass(frozen=True, slots=True)
class _Known:
    """`listed` is the commit that the remote's list named when the ledger was read or written, `head` the newest."""

    listed: str | None
    head: str | None
    ledger: Ledger | None


class Ledgers:
    """One ref an Application. All of it can be lost: it is read again from Git."""

    def __init__(self, source: Source, cluster_name: str) -> None:
        self._source = source
        self._cluster_name = cluster_name
        self._lock = threading.Lock()
        self._known: dict[Key, _Known] = {}

    def read(self, key: Key, seen: Seen) -> Ledger | None:
        """What the ref holds; None where there is none yet. Raises as `Source.fetch`."""
        ref = ref_of(self._cluster_name, key.namespace, key.name)
        listed = seen.refs.get(ref)
        with self._lock:
            known = self._known.get(key)
        if known is not None and listed in (known.listed, known.head):
            return known.ledger
        ledger = None
        if listed is not None:
            self._source.fetch(seen.remote, listed, seen.refs)
            ledger = parse(self._source.message(seen.remote, listed))
        with self._lock:
            self._known[key] = _Known(listed, listed, ledger)
        return ledger

    def peek(self, key: Key, seen: Seen) -> Ledger | None:
        """The same for somebody who only looks: what `write` builds upon stays as the Application's own run left it."""
        listed = seen.refs.get(ref_of(self._cluster_name, key.namespace, key.name))
        with self._lock:
            known = self._known.get(key)
        if known is not None and listed in (known.listed, known.head):
            return known.ledger
        if listed is None:
            return None
        self._source.fetch(seen.remote, listed, seen.refs)
        return parse(self._source.message(seen.remote, listed))

    def write(self, key: Key, seen: Seen, ledger: Ledger, event: str) -> None:
        """Push a new entry upon the one that `read` gave; `event` is its first line.

        Raises Transient(CONFLICT) when another controller wrote meanwhile: the next run reads again and decides anew;
        Terminal(SOURCE_DENIED) when the repository may not be written.
        """
        ref = ref_of(self._cluster_name, key.namespace, key.name)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            raise Transient(Reason.CONFLICT, f"the ledger of {key} was not read yet")
        commit = self._source.commit(seen.remote, known.head, {}, write(ledger, event))
        try:
            self._source.push(seen.remote, commit, ref, known.head)
        except Transient as error:
            if error.reason is Reason.CONFLICT:
                self.forget(key)
            raise
        with self._lock:
            self._known[key] = _Known(seen.refs.get(ref), commit, ledger)

    def forget(self, key: Key) -> None:
        with self._lock:
            self._known.pop(key, None)
