"""What a log would hold of an error."""

from __future__ import annotations

import traceback


def trace_of(error: BaseException) -> str:
    """Its traceback with all that led to it, in words and lines of code, as Python writes it."""
    return "".join(traceback.format_exception(error))
