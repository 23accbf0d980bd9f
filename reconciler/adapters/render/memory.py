"""Renders kept in memory: by key, and for each request the read set that it had last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from reconciler.adapters.render.tool import Tool
from reconciler.model.rendered import ReadSet, Rendered

DEFAULT_BYTES = 64 * 1024 * 1024
_REQUESTS = 16_384


class Latest(NamedTuple):
    """How a request was answered last. `tool` is None where no program was needed."""

    key: str
    read_set: ReadSet
    tool: Tool | None


class Memory:
    """Least lately used first out. The newest render stays, however large it is."""

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._renders: OrderedDict[str, tuple[Rendered, int]] = OrderedDict()
        self._latest: OrderedDict[object, Latest] = OrderedDict()
        self._guard = threading.Lock()

    def latest(self, request: object) -> Latest | None:
        return self._latest.get(request)

    def get(self, key: str) -> Rendered | None:
        with self._guard:
            found = self._renders.get(key)
            if found is None:
                return None
            self._renders.move_to_end(key)
            return found[0]

    def put(self, request: object, latest: Latest, rendered: Rendered, size: int) -> None:
        """`size` is that of the objects as JSON, in bytes."""
        with self._guard:
            self._latest[request] = latest
            self._latest.move_to_end(request)
            if len(self._latest) > _REQUESTS:
                self._latest.popitem(last=False)
            _, before = self._renders.pop(latest.key, (None, 0))
            self._renders[latest.key] = (rendered, size or before)
            self._bytes += (size or before) - before
            while self._bytes > self._max_bytes and len(self._renders) > 1:
                _, (_, freed) = self._renders.popitem(last=False)
                self._bytes -= freed
