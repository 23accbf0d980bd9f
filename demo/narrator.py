"""Tells the story: one heading a scene, one line a fact, with the time each took. A fact that is not true ends it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
_TERMINAL = sys.stdout.isatty()
_BACK = "\r\033[K" if _TERMINAL else ""
_LONG = 5.0
"""Seconds after which a log, too, says what is waited for."""


class Untrue(Exception):
    """What the story promised did not happen."""


class Narrator:
    """Plain lines; bold and green on a terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._scenes = 0

    def scene(self, title: str) -> None:
        self._scenes += 1
        print(f"\n{_style('1', f'{self._scenes}. {title}')}", flush=True)

    def say(self, text: str) -> None:
        for line in text.splitlines():
            print(f"   {line}", flush=True)

    def shows(self, command: str, output: str) -> None:
        """A command that the reader can run, and what it printed."""
        print(f"   {_style('2', f'$ {command}')}", flush=True)
        for line in output.rstrip().splitlines():
            print(f"   {_style('2', '|')} {line}", flush=True)

    def until(
        self,
        promise: str,
        seen: Callable[[], Value | None],
        within: float = 60.0,
        instead: Callable[[], object] | None = None,
    ) -> Value:
        """Wait until `seen()` gives something; what is waited for, and the time it took, are told. Raises Untrue after
        `within` seconds, with `instead()`: what is there then.
        """
        began = time.monotonic()
        told = False
        while True:
            waited = time.monotonic() - began
            if not told and (_TERMINAL or waited > _LONG):
                told = True
                print(f"   … {promise}", end="" if _TERMINAL else "\n", flush=True)
            value = seen()
            if value:
                print(f"{_BACK}   {_style('32', '✓')} {promise} ({time.monotonic() - began:.1f} s)", flush=True)
                return value
            if waited > within:
                print(end=_BACK, flush=True)
                there = f"; there is: {instead()}" if instead else ""
                raise Untrue(f"{promise}: not seen within {within:.0f} s{there}")
            time.sleep(0.05)

    def check(self, promise: str, true: bool) -> None:
        if not true:
            raise Untrue(promise)
        print(f"   {_style('32', '✓')} {promise}", flush=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


def _style(code: str, text: str) -> str:
    return f"\033[{code}m{text}\033[0m" if _TERMINAL else text
