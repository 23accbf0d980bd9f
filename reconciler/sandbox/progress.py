"""Progress lines for people: on a terminal an unfinished step shows how long it has taken; in a pipe, plain lines."""

from __future__ import annotations

import sys
import threading
import time
from typing import Self, TextIO

UNFINISHED = " ..."
TICK_SECONDS = 1.0


class ProgressPrinter:
    """Called with one line at a time, from any thread. A line that ends in ` ...` is a step that goes on."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._lock = threading.Lock()
        self._open: tuple[str, float] | None = None
        self._finished = threading.Event()
        if self._live:
            threading.Thread(target=self._tick, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._finished.set()
        with self._lock:
            if self._open:
                self._write("\n")
                self._open = None

    def __call__(self, line: str) -> None:
        with self._lock:
            if not self._live:
                self._write(f"{line}\n")
                return
            self._erase()
            going_on = line.endswith(UNFINISHED)
            self._open = (line, time.monotonic()) if going_on else None
            self._write(line if going_on else f"{line}\n")

    def _tick(self) -> None:
        while not self._finished.wait(TICK_SECONDS):
            with self._lock:
                if self._open and not self._finished.is_set():
                    line, began = self._open
                    self._erase()
                    self._write(f"{line} {time.monotonic() - began:.0f} s")

    def _erase(self) -> None:
        if self._open:
            # Carriage return and "erase in line" of ECMA-48.
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
