"""Whether this process may write to the outside: one that stands by for another may not."""

from __future__ import annotations

from collections.abc import Callable

Permit = Callable[[], None]
"""Asked before each write. Raises where this process may not write (any more)."""
