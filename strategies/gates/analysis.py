"""The gate `analysis`: a number of the environment before keeps its bound. No number is neither good nor bad: wait."""

from __future__ import annotations

from math import isnan

from reconciler.model.promotion import AnalysisGate
from reconciler.model.rollout import Verdict
from reconciler.model.strategy import Threshold
from reconciler.ports import Measured


def judge(gate: AnalysisGate, measured: Measured | None) -> tuple[Verdict, str]:
    """`measured` is None while nobody has measured. Every number of the answer must keep the bound, as in the analyses
    of a canary: one that breaks it fails, whatever the others are. The evidence has two digits of the number that is
    nearest to breaking it: it is written into pull requests, and must not change with every measurement.
    """
    bound = gate.prometheus
    wanted = _words(bound)
    if measured is None:
        return Verdict.WAIT, f"must be {wanted}: not measured yet"
    if measured.problem:
        return Verdict.WAIT, f"must be {wanted}, and cannot be told: {measured.problem}"
    if not measured.values:
        return Verdict.WAIT, f"must be {wanted}: the query gives nothing, is there any traffic?"
    bad = [value for value in measured.values if not isnan(value) and _excess(bound, value) > 0]
    if bad:
        return Verdict.FAIL, f"must be {wanted}, and is {_number(max(bad, key=lambda value: _excess(bound, value)))}"
    if any(isnan(value) for value in measured.values):
        return Verdict.WAIT, f"must be {wanted}, and is no number (NaN): is there any traffic?"
    worst = max(measured.values, key=lambda value: _excess(bound, value))
    return Verdict.PASS, f"is {_number(worst)}, which is {wanted}"


def _excess(bound: Threshold, value: float) -> float:
    """How far the number is beyond its bound; at most 0 for one that keeps it."""
    over = [value - float(bound.max)] if bound.max is not None else []
    under = [float(bound.min) - value] if bound.min is not None else []
    return max(over + under)


def _words(bound: Threshold) -> str:
    kept = [("at least", bound.min), ("at most", bound.max)]
    return " and ".join(f"{word} {limit}" for word, limit in kept if limit is not None)


def _number(value: float) -> str:
    return f"{value:.2g}"
