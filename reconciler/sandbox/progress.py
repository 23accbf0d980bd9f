"""Progress lines for people: on a terminal an unfinished step shows how long it has taken; in a pipe, plain lines."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import Self, TextIO

UNFINISHED = " ..."
TICK_SECONDS = 1.0


class ProgressPrinter:
    """Called with one line at a time, from any thread; used as a context manager.

    A line that ends in ` ...` is a step that goes on: a terminal keeps it at the bottom, with its age in seconds, until
    the next such line or the end.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._lock = threading.Lock()
        self._step: tuple[str, float] | None = None
        self._finished = threading.Event()
        if self._live:
            threading.Thread(target=self._tick, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._finished.set()
            self._draw("")
            self._step = None

    def __call__(self, line: str) -> None:
        with self._lock:
            if not self._live:
                self._draw(f"{line}\n")
            elif line.endswith(UNFINISHED):
                self._draw("")
                self._step = (line, time.monotonic())
                self._draw(self._bottom())
            else:
                self._draw(f"{line}\n{self._bottom()}")

    def _tick(self) -> None:
        while not self._finished.wait(TICK_SECONDS):
            with self._lock:
                if not self._finished.is_set():
                    self._draw(self._bottom())

    def _bottom(self) -> str:
        if not self._step:
            return ""
        line, began = self._step
        age = time.monotonic() - began
        suffix = f" {age:.0f} s" if age >= TICK_SECONDS else ""
        # Only the last row of a line that wraps could be erased again.
        room = shutil.get_terminal_size().columns - len(suffix) - 1
        return (line if len(line) <= room else f"{line[: room - 4]} ...") + suffix

    def _draw(self, text: str) -> None:
        # Carriage return and "erase in line" of ECMA-48 remove the step that stands at the bottom.
        erased = "\r\x1b[K" if self._live and self._step else ""
        self._stream.write(erased + text)
        self._stream.flush()
