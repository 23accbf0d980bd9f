"""How much one render may take, and how a limit that was reached is told."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.outcome import Reason, Terminal

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, `time` in seconds. `memory` is address space: a tool written in Go reserves about 1 GiB."""

    file: int = 10 * MIB
    read_set: int = 100 * MIB
    output: int = 50 * MIB
    time: float = 60.0
    memory: int = 2048 * MIB
    parallel: int = 4


def exceeded(name: str, what: str, limit: float, way_out: str) -> Terminal:
    """The error for a limit, by the name of its field. `way_out` says what to remove or to change."""
    given = f"{limit:g} s" if name == "time" else size(int(limit))
    return Terminal(
        Reason.RENDER_LIMIT,
        f"{what}; the render limit `{name}` is {given}.\n"
        f"{way_out}, or let who runs Dispatch raise the render limit `{name}`.",
    )


def size(count: int) -> str:
    """`10 MiB`, `1.5 MiB`, `812 bytes`."""
    if count >= MIB:
        return f"{count / MIB:.1f} MiB".replace(".0 ", " ")
    return f"{count:,} bytes"
