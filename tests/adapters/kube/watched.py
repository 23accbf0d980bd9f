"""A follower that is read on a thread, so that a test can look at what it has told and end it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from adapters.kube.scripted_server import CONFIGMAPS, STREAM_HEAD, ScriptedServer, answer

from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import EventType

PROMPT = 4.0
"""Seconds: well above what an end takes on a busy machine, and below every time-out that could be its cause."""


def wait_for(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Watched:
    """Reads a follower on a thread of its own; `seen` is what came: (type, name)."""

    def __init__(self, cluster: KubeCluster, **options: Any) -> None:
        self.seen: list[tuple[EventType, str]] = []
        self.documents: list[dict[str, Any]] = []
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._events = cluster.follow(CONFIGMAPS, stop=self._stop.is_set, **options)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            for found in self._events:
                self.seen.append((found.type, found.document.get("metadata", {}).get("name", "")))
                self.documents.append(found.document)
        except BaseException as error:
            self.error = error

    def until(self, *expected: tuple[EventType, str], seconds: float = 20) -> None:
        wait_for(lambda: self.seen == list(expected), seconds)

    def stop(self) -> float:
        """End it; how many seconds that took."""
        began = time.monotonic()
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
        return time.monotonic() - began

    def ended(self) -> BaseException | None:
        self._thread.join(20)
        return self.error


Follow = Callable[..., tuple[ScriptedServer, Watched]]
"""Of a script for the n-th list and one for the n-th watch, and the options of `follow`."""


def item(name: str, version: str = "5") -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}}


def page(*names: str, version: str = "5", after: str = "") -> bytes:
    return answer(
        {"metadata": {"resourceVersion": version, "continue": after}, "items": [item(name) for name in names]}
    )


def stream(*chunks: bytes, then: Callable[[], Any] = lambda: None) -> Callable[..., None]:
    """A watch that sends these chunks, does `then`, and is cut off."""

    def drive(connection: Any) -> None:
        connection.sendall(STREAM_HEAD + b"".join(chunks))
        then()

    return drive


def held(*chunks: bytes) -> Callable[[Any], None]:
    """A watch that sends these chunks and stays open until the other side closes it."""

    def drive(connection: Any) -> None:
        connection.sendall(STREAM_HEAD + b"".join(chunks))
        while connection.recv(1000):
            pass

    return drive
