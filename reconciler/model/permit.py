"""Whether this process may write to the outside: one that stands by for another may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Permit = Callable[[], None]
"""Asked before each write. Raises where this process may not write (any more)."""


def always() -> None:
    """For a process that nobody stands beside."""


class Permitting(Protocol):
    """Who knows whether this process may write: its part in an election."""

    def permit(self) -> None: ...


def permit_of(leader: Permitting | None) -> Permit:
    """Without an election there is nobody to ask."""
    return leader.permit if leader is not None else always
