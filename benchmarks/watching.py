"""What an outsider sees: a watch of one kind, each object with the moment at which it was received."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import urllib3

from benchmarks.server import Server

Seen = Callable[[dict[str, Any]], bool]


class Watching:
    """Keeps, for each object (namespace, name), every state and its time (monotonic seconds)."""

    def __init__(self, server: Server, path: str) -> None:
        self._answer = server.watch(path)
        self._news = threading.Condition()
        self._states: dict[tuple[str, str], list[tuple[float, dict[str, Any]]]] = {}
        self._thread = threading.Thread(target=self._read, name=f"watch {path}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        # A stream that has ended by itself cannot be shut down.
        with contextlib.suppress(RuntimeError, ValueError):
            self._answer.shutdown()
        self._thread.join(5)

    def until(self, keys: Iterable[tuple[str, str]], seen: Seen, within: float) -> float | None:
        """When the last of these objects was first received in a state that is `seen`; None when one never was."""
        wanted = set(keys)
        moments: dict[tuple[str, str], float] = {}
        deadline = time.monotonic() + within
        with self._news:
            while True:
                for key in wanted - moments.keys():
                    first = next((at for at, state in self._states.get(key, ()) if seen(state)), None)
                    if first is not None:
                        moments[key] = first
                if len(moments) == len(wanted):
                    return max(moments.values())
                if not self._news.wait(max(deadline - time.monotonic(), 0.0)) and time.monotonic() >= deadline:
                    return None

    def last(self, key: tuple[str, str]) -> dict[str, Any]:
        with self._news:
            return (self._states.get(key) or [(0.0, {})])[-1][1]

    def forget(self) -> None:
        """Let the states of earlier runs go."""
        with self._news:
            self._states.clear()

    def _read(self) -> None:
        pending = b""
        try:
            while received := self._answer.read1():
                now = time.monotonic()
                *lines, pending = (pending + received).split(b"\n")
                for line in lines:
                    self._take(now, json.loads(line))
        except (urllib3.exceptions.HTTPError, OSError):
            return

    def _take(self, now: float, event: dict[str, Any]) -> None:
        if event["type"] not in ("ADDED", "MODIFIED"):
            return
        metadata = event["object"]["metadata"]
        with self._news:
            self._states.setdefault((metadata["namespace"], metadata["name"]), []).append((now, event["object"]))
            self._news.notify_all()


def condition(document: dict[str, Any], type: str) -> str:
    """The status of a condition, if it speaks of the newest spec."""
    for found in (document.get("status") or {}).get("conditions") or []:
        if found["type"] == type and found.get("observedGeneration", 0) == document["metadata"].get("generation", 0):
            return str(found["status"])
    return ""
