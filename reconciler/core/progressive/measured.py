"""What the analyses of an aborted version have found: whether it is bad, or whether nobody could tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from reconciler.core.health.fields import Malformed, items, text

_LONGEST = 160
_KEPT = 3
_NUMBER = re.compile(r"\[?(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\]?")


class Found(NamedTuple):
    """`bad` when a metric was measured and judged bad; `words` for people, empty when no analysis ended the version.

    Neither bad nor without words: a metric could not be asked (Prometheus was down), which says nothing of the version.
    """

    bad: bool
    words: str


def found(runs: Iterable[Mapping[str, Any]]) -> Found:
    """`runs` are the AnalysisRuns of one version. What cannot be read counts for nothing."""
    failed, unasked = list[str](), list[str]()
    for run in runs:
        try:
            for result in items(run, "status", "metricResults"):
                phase, name = text(result, "phase"), text(result, "name")
                if phase == "Failed":
                    failed.append(f"{_called(name)} measured {', '.join(_values(result)) or 'a failure'}")
                elif phase == "Error":
                    unasked.append(f"{_called(name)} could not be asked: {_shortened(_error(result))}")
        except Malformed:
            continue
    if failed:
        return Found(True, f"the analysis failed: {'; '.join(failed)}")
    if unasked:
        return Found(False, "; ".join(unasked))
    return Found(False, "")


def _values(result: Mapping[str, Any]) -> Iterator[str]:
    """The last bad measurements, the newest last."""
    bad = [each for each in items(result, "measurements") if text(each, "phase") == "Failed"]
    return (_plain(text(each, "value")) for each in bad[-_KEPT:])


def _called(name: str) -> str:
    """The one metric of a step of ours has a name that says nothing (strategies/rollout/analysis.py)."""
    return "its metric" if name == "question" else name


def _plain(value: str) -> str:
    """Prometheus gives a vector, of one number mostly, to the last digit: `[0.20343745253885484]`."""
    if (one := _NUMBER.fullmatch(value)) is not None:
        number = float(one[1])
        return f"{number:.3g}" if abs(number) < 1000 else f"{number:.0f}"
    return _shortened(value)


def _error(result: Mapping[str, Any]) -> str:
    said = [text(each, "message") for each in items(result, "measurements") if text(each, "phase") == "Error"]
    return next((message for message in reversed(said) if message), text(result, "message"))


def _shortened(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
