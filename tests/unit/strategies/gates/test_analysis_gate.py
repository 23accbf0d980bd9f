"""The gate `analysis`: a number that keeps its bound opens it; what cannot be told does not."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.model.promotion import PromotionGate
from reconciler.model.rollout import Verdict
from reconciler.ports import Measured, Proof
from strategies.gates import judge

NOW = datetime(2026, 6, 1, 10, 30, tzinfo=UTC)
ERRORS = {"query": "errors:rate5m", "max": "0.05"}


def found(measured: Measured | None, **metric: Any) -> tuple[Verdict, str]:
    gate = PromotionGate.model_validate({"analysis": {"prometheus": metric or ERRORS}})
    assert gate.analysis is not None
    known = {} if measured is None else {gate.analysis.prometheus: measured}
    name, verdict, words = judge(gate, Proof(measured=known), NOW)
    assert name == "analysis"
    return verdict, words


@pytest.mark.parametrize(
    ("measured", "verdict", "words"),
    [
        (Measured((0.01,)), Verdict.PASS, "is 0.01, which is at most 0.05"),
        (Measured((0.05,)), Verdict.PASS, "at most 0.05"),
        (Measured((0.051,)), Verdict.FAIL, "must be at most 0.05, and is 0.051"),
        (Measured((0.01, 0.5, 0.07)), Verdict.FAIL, "is 0.5"),
        (Measured((inf,)), Verdict.FAIL, "is inf"),
        (Measured((nan,)), Verdict.WAIT, "no number (NaN): is there any traffic?"),
        (Measured((0.01, nan)), Verdict.WAIT, "no number (NaN)"),
        (Measured((nan, 0.5)), Verdict.FAIL, "is 0.5"),
        (Measured(()), Verdict.WAIT, "gives nothing, is there any traffic?"),
        (Measured(problem="http://prometheus: no answer in time"), Verdict.WAIT, "no answer in time"),
        (None, Verdict.WAIT, "not measured yet"),
    ],
    ids=[
        "kept",
        "just-kept",
        "broken",
        "one-series-breaks-it",
        "without-end",
        "no-number",
        "one-series-is-no-number",
        "what-breaks-it-goes-before-what-is-none",
        "an-empty-vector",
        "no-answer",
        "not-asked",
    ],
)
def test_a_number_that_keeps_its_bound_opens_the_gate_and_no_number_waits(
    measured: Measured | None, verdict: Verdict, words: str
) -> None:
    said = found(measured)
    assert said[0] is verdict
    assert words in said[1]


def test_both_bounds_are_kept() -> None:
    assert found(Measured((0.5,)), query="q", min="1", max="2")[0] is Verdict.FAIL
    assert found(Measured((1.5,)), query="q", min="1", max="2")[0] is Verdict.PASS
    assert found(Measured((2.5,)), query="q", min="1", max="2")[0] is Verdict.FAIL


@given(st.lists(st.floats()), st.integers(-100, 100), st.integers(0, 100))
def test_it_is_open_only_where_every_number_keeps_the_bound(values: list[float], low: int, width: int) -> None:
    high = low + width
    verdict, words = found(Measured(tuple(values)), query="q", min=str(low), max=str(high))
    assert (verdict is Verdict.PASS) == (bool(values) and all(low <= value <= high for value in values))
    assert (verdict is Verdict.FAIL) == any(value < low or value > high for value in values)
    assert words


@given(st.text(min_size=1), st.lists(st.floats()))
def test_a_problem_is_never_a_pass_nor_a_failure(problem: str, values: list[float]) -> None:
    assert found(Measured(tuple(values), problem))[0] is Verdict.WAIT


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ({"query": 'errors{pod=~"{{args.hash}}"}', "max": "1"}, "no pods of its own"),
        ({"query": "up", "max": "1", "address": "prometheus:9090"}, "must be a URL"),
        ({"query": "up", "max": "1", "address": "http://ada:secret@prometheus:9090"}, "without a user"),
        ({"query": "up"}, "needs `max` or `min`"),
    ],
    ids=["a-placeholder-of-a-canary", "no-url", "a-password", "no-bound"],
)
def test_what_cannot_be_asked_is_refused(metric: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        PromotionGate.model_validate({"analysis": {"prometheus": metric}})
