"""How much one render may take, and how a limit that was reached is told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

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


def parse(settings: Iterable[str]) -> Limits:
    """Limits from `file=20Mi`, `time=2m`, `memory=4Gi`, `parallel=2`. Raises ValueError that names what can be set."""
    limits = Limits()
    for setting in settings:
        name, _, text = setting.partition("=")
        name = name.replace("-", "_")
        if name not in {field.name for field in fields(Limits)}:
            known = ", ".join(field.name.replace("_", "-") for field in fields(Limits))
            raise ValueError(f"{setting!r} sets no render limit: there are {known}")
        match = _AMOUNT.fullmatch(text)
        units = _SECONDS if name == "time" else _BYTES if name != "parallel" else {"": 1}
        if match is None or match[2] not in units or float(match[1]) <= 0:
            raise ValueError(f"{setting!r}: write an amount as in file=20Mi, time=2m, memory=4Gi, parallel=2")
        amount = float(match[1]) * units[match[2]]
        changed: dict[str, Any] = {name: amount if name == "time" else int(amount)}
        limits = replace(limits, **changed)
    return limits


_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)")
_BYTES = {"": 1, "Ki": 1024, "Mi": MIB, "Gi": 1024 * MIB}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def exceeded(name: str, what: str, limit: float, way_out: str) -> Terminal:
    """The error for a limit, by the name of its field. `way_out` says what to remove or to change."""
    given = f"{limit:g} s" if name == "time" else size(int(limit))
    option = name.replace("_", "-")
    return Terminal(
        Reason.RENDER_LIMIT,
        f"{what}; the limit is {given}.\n"
        f"{way_out}, or let who runs Dispatch raise the limit (`--render-limit {option}=...`).",
    )


def size(count: int) -> str:
    """`10 MiB`, `1.5 MiB`, `812 bytes`."""
    if count >= MIB:
        return f"{count / MIB:.1f} MiB".replace(".0 ", " ")
    return f"{count:,} bytes"
