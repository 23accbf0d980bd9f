"""What each Repository's remote was last seen to hold."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.engine.keys import Key
from reconciler.model.outcome import StageError
from reconciler.ports import Remote

_OWN = "refs/dispatch/"
_LOOKS = 2
"""How many looks end a doubt: the first one may have begun before the branch was moved."""


@dataclass(frozen=True, slots=True)
class Seen:
    """`refs` is empty until the first answer; `trouble` is why the last look failed, None when it did not."""

    remote: Remote
    refs: Mapping[str, str]
    trouble: StageError | None = None


class _Doubt(NamedTuple):
    """Where a ref was that Dispatch has moved, and how many looks may still say so."""

    ref: str
    commit: str
    looks: int


class Sources:
    """Written by the reconcile of a Repository, read by those of its Applications."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[Key, Seen] = {}
        self._doubts: dict[Key, _Doubt] = {}

    def get(self, key: Key) -> Seen | None:
        with self._lock:
            return self._seen.get(key)

    def put(self, key: Key, seen: Seen) -> bool:
        """True when the refs or the remote are not what they were. Refs below `refs/dispatch/` do not count: they are
        what Dispatch itself wrote, and no Application follows them."""
        with self._lock:
            before = self._seen.get(key)
            self._seen[key] = seen
            doubt = self._doubts.get(key)
            if doubt is not None and seen.trouble is None:
                self._doubts[key] = doubt._replace(looks=doubt.looks - 1)
        if before is None:
            return True
        return (
            _followed(before.refs) != _followed(seen.refs)
            or before.remote != seen.remote
            or (before.trouble is None) != (seen.trouble is None)
        )

    def doubt(self, key: Key, ref: str, commit: str) -> None:
        """Dispatch itself has moved this ref away from the commit: who sees it there sees what was."""
        with self._lock:
            self._doubts[key] = _Doubt(ref, commit, _LOOKS)

    def doubted(self, key: Key) -> bool:
        """Whether the remote was not read again since `doubt`."""
        with self._lock:
            seen, doubt = self._seen.get(key), self._doubts.get(key)
        if seen is None or doubt is None:
            return False
        return doubt.looks > 0 and seen.refs.get(doubt.ref) == doubt.commit

    def forget(self, key: Key) -> None:
        with self._lock:
            self._seen.pop(key, None)
            self._doubts.pop(key, None)


def _followed(refs: Mapping[str, str]) -> Mapping[str, str]:
    return {ref: commit for ref, commit in refs.items() if not ref.startswith(_OWN)}
