"""The machine's own clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """`reconciler.ports.Clock` by the operating system."""

    def now(self) -> datetime:
        """To the second: the API conventions' `metav1.Time` has no more."""
        return datetime.now(UTC).replace(microsecond=0)

    def monotonic(self) -> float:
        return time.monotonic()
