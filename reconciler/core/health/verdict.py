"""The words of a verdict, and how the words of others are quoted in it."""

from __future__ import annotations

from reconciler.model.health import HEALTHY, Health, Level

QUOTE_LIMIT = 200


def healthy(message: str = "") -> Health:
    return Health(Level.HEALTHY, message) if message else HEALTHY


def progressing(message: str) -> Health:
    return Health(Level.PROGRESSING, message)


def degraded(message: str) -> Health:
    return Health(Level.DEGRADED, message)


def suspended(message: str) -> Health:
    return Health(Level.SUSPENDED, message)


def unknown(message: str) -> Health:
    return Health(Level.UNKNOWN, message)


def quoted(words: str, limit: int = QUOTE_LIMIT) -> str:
    """The words of a kubelet or controller on one line, at most `limit` characters, nothing that moves a terminal."""
    # Cut first: the words may be a megabyte, and only the start of them is ever shown.
    line = words[: limit * 4]
    if not line.isprintable():
        line = "".join(letter if letter.isprintable() else " " for letter in line)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def because(reason: str, message: str) -> str:
    """`Reason: message`, or whichever of the two there is."""
    return quoted(": ".join(part for part in (reason, message) if part))
