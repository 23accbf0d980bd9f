"""The one error of the sandbox: a sentence for the person who must act."""

from __future__ import annotations


class SandboxError(Exception):
    """What failed, where, why and what to do; may span lines (the end of a log)."""
