"""What is told of an aborted version: what was measured, or that nothing could be."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.progressive.measured import Found, found


def run(*results: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "AnalysisRun", "status": {"phase": "Failed", "metricResults": list(results)}}


def result(phase: str, *measured: tuple[str, str], message: str = "") -> dict[str, Any]:
    measurements = [{"phase": each, "value": value} for each, value in measured]
    return {"name": "errors", "phase": phase, "message": message, "measurements": measurements}


def test_a_bad_metric_tells_its_bad_values() -> None:
    bad = run(result("Failed", ("Successful", "[0.01]"), ("Failed", "[0.12]"), ("Failed", "[0.3]")))
    assert found([bad]) == Found(True, "the analysis failed: errors measured 0.12, 0.3")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("[0.20343745253885484]", "0.203"),
        ("12345.6", "12346"),
        ("[1e-07]", "1e-07"),
        ("[0.1,0.2]", "[0.1,0.2]"),
        ("[NaN]", "[NaN]"),
        ("bad", "bad"),
    ],
)
def test_a_number_is_told_as_people_read_it_and_anything_else_as_it_is(value: str, told: str) -> None:
    assert found([run(result("Failed", ("Failed", value)))]).words == f"the analysis failed: errors measured {told}"


def test_the_metric_of_a_step_needs_no_name() -> None:
    one = result("Failed", ("Failed", "[0.2]")) | {"name": "question"}
    assert found([run(one)]).words == "the analysis failed: its metric measured 0.2"


def test_a_metric_that_could_not_be_asked_is_not_bad() -> None:
    told = found([run(result("Error", message="connection refused"))])
    assert told == Found(False, "errors could not be asked: connection refused")


def test_one_bad_metric_beside_one_that_could_not_be_asked_is_bad() -> None:
    assert found([run(result("Error", message="x"), result("Failed", ("Failed", "7")))]).bad


def test_an_abort_by_hand_tells_nothing() -> None:
    assert found([run(result("Successful", ("Successful", "0")))]) == Found(False, "")
    assert found([]) == Found(False, "")


def test_what_cannot_be_read_counts_for_nothing() -> None:
    assert found([{"status": {"metricResults": "x"}}, {"status": 3}, {}]) == Found(False, "")


def test_a_long_answer_is_cut() -> None:
    assert len(found([run(result("Error", message="x" * 9000))]).words) < 300
