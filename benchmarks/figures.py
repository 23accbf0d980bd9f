"""Many runs become a few figures: medians, ratios, and the table that is printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.run import STEPS, Sample
from benchmarks.workload import Load

FLOOR = "floor"


@dataclass
class Line:
    """One contender at one load; `samples` by step. Memory in MiB."""

    name: str
    version: str
    flags: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    resident: float = 0.0
    peak: float = 0.0

    def add(self, run: dict[str, Sample]) -> None:
        for step, sample in run.items():
            self.samples.setdefault(step, []).append(sample)

    def seconds(self, step: str) -> float | None:
        found = self.samples.get(step)
        return median(sample.seconds for sample in found) if found else None


@dataclass
class Row:
    """One load with all who were measured at it, the floor first."""

    load: Load
    lines: list[Line]

    def ratio(self, line: Line, step: str) -> float | None:
        """How many times the floor a contender takes, from medians."""
        mine, floor = line.seconds(step), self.lines[0].seconds(step)
        return mine / floor if mine is not None and floor else None

    def faster(self, line: Line, step: str) -> float | None:
        """How many times as long as Dispatch a contender takes, from medians."""
        mine, ours = line.seconds(step), self.lines[1].seconds(step)
        return mine / ours if mine is not None and ours else None


_HEAD = ("", "median", "min", "max", "x floor", "x Dispatch", "CPU", "server CPU", "reads", "dry-runs", "writes")


def as_text(row: Row) -> str:
    """Times in seconds, median of the runs; CPU in seconds; requests of the API server."""
    parts = [str(row.load)]
    for step, title in STEPS.items():
        table = [_HEAD] + [cells for line in row.lines if (cells := _cells(row, line, step))]
        if len(table) > 1:
            parts.append(f"  {step}: {title}\n" + _aligned(table))
    memory = [f"  {line.name}: {line.resident:.0f} MiB, peak {line.peak:.0f} MiB" for line in row.lines[1:]]
    parts.append("  resident memory, children included; peak of the process itself\n  " + "\n  ".join(memory))
    return "\n\n".join(parts)


def _cells(row: Row, line: Line, step: str) -> tuple[str, ...] | None:
    samples = line.samples.get(step)
    if not samples:
        return None
    seconds = [sample.seconds for sample in samples]
    ours = line is row.lines[1]
    return (
        line.name,
        f"{median(seconds):.2f}",
        f"{min(seconds):.2f}",
        f"{max(seconds):.2f}",
        _number(row.ratio(line, step) if line is not row.lines[0] else None),
        _number(None if ours or line is row.lines[0] else row.faster(line, step)),
        f"{median(sample.cpu for sample in samples):.2f}",
        f"{median(sample.server_cpu for sample in samples):.2f}",
        *(
            f"{median(sample.requests.get(kind, 0) for sample in samples):.0f}"
            for kind in ("reads", "dry-runs", "writes")
        ),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _aligned(table: list[tuple[str, ...]]) -> str:
    widths = [max(len(cells[column]) for cells in table) for column in range(len(table[0]))]
    return "\n".join(
        "    "
        + f"{cells[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
        for cells in table
    )


def as_json(row: Row) -> dict[str, Any]:
    return {
        "load": {"applications": row.load.applications, "objects": row.load.objects},
        "lines": [
            {
                "name": line.name,
                "version": line.version,
                "flags": line.flags,
                "residentMiB": round(line.resident),
                "peakMiB": round(line.peak),
                "steps": {step: _step_json(row, line, step) for step in line.samples},
            }
            for line in row.lines
        ],
    }


def _step_json(row: Row, line: Line, step: str) -> dict[str, Any]:
    samples = line.samples[step]
    return {
        "median": line.seconds(step),
        "timesFloor": row.ratio(line, step),
        "timesDispatch": row.faster(line, step),
        "runs": [vars(sample) for sample in samples],
    }
