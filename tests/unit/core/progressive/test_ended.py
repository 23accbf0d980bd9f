"""An analysis that somebody ended is told from one that the controller needed no longer."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from recorded_rollouts import recorded

from reconciler.core.progressive.ended import ended_by_hand

RUN = "web-645bf85ff8-2-1"


def rollout(step: int = 2) -> dict[str, Any]:
    document = recorded("canary-gate-was-ended")
    document["status"]["currentStepIndex"] = step
    return document


def run(name: str = "analysisrun-ended-by-hand", **labels: str) -> dict[str, Any]:
    """A recorded run, as one of that Rollout's."""
    document = recorded(name)
    document["metadata"]["ownerReferences"][0]["uid"] = rollout()["metadata"]["uid"]
    document["metadata"]["labels"] |= labels
    return document


def with_status(phase: str, message: str = "") -> dict[str, Any]:
    document = run()
    document["status"] |= {"phase": phase, "message": message}
    return document


def test_a_run_that_somebody_ended_is_named() -> None:
    assert ended_by_hand(rollout(), [run()]) == (RUN,)


@pytest.mark.parametrize("phase", ["", "Pending", "Running"])
def test_it_is_named_before_the_controller_has_taken_it_for_a_success(phase: str) -> None:
    assert ended_by_hand(rollout(step=1), [with_status(phase)]) == (RUN,)


def test_a_run_that_the_controller_ended_is_not() -> None:
    """By the manager that made the run: its name is that of the process, and no name is relied on."""
    assert ended_by_hand(rollout(), [run("analysisrun-ended-by-the-controller")]) == ()


@pytest.mark.parametrize("phase", ["Successful", "Failed", "Error", "Inconclusive"])
def test_a_run_that_had_its_result_before_is_not(phase: str) -> None:
    assert ended_by_hand(rollout(), [with_status(phase, "Metric assessed")]) == ()


def test_a_run_that_nobody_ended_is_not() -> None:
    document = run()
    del document["spec"]["terminate"]
    assert ended_by_hand(rollout(), [document]) == ()


def test_a_run_of_another_version_or_another_rollout_is_not() -> None:
    other = run()
    other["metadata"]["ownerReferences"][0]["uid"] = "another"
    orphan = run()
    del orphan["metadata"]["ownerReferences"]
    assert ended_by_hand(rollout(), [run(**{"rollouts-pod-template-hash": "7684585bc8"}), other, orphan]) == ()


def test_after_a_retry_the_run_of_the_first_try_does_not_count_again() -> None:
    """The hash and the steps are the same: only the next run of that step tells the two apart."""
    again = with_status("Running")
    del again["spec"]["terminate"]
    again["metadata"]["name"] = f"{RUN}.1"
    assert ended_by_hand(rollout(step=0), [run()]) == ()
    assert ended_by_hand(rollout(step=2), [run(), again]) == ()
    assert ended_by_hand(rollout(step=2), [again, run()]) == ()


def test_the_second_try_counts_when_somebody_ends_it_too() -> None:
    again = run()
    again["metadata"]["name"] = f"{RUN}.10"
    second = run()
    second["metadata"]["name"] = f"{RUN}.9"
    assert ended_by_hand(rollout(), [again, run(), second]) == (f"{RUN}.10",)


def test_runs_without_a_step_count_at_any_step() -> None:
    document = run(**{"rollout-type": "Background"})
    del document["metadata"]["labels"]["step-index"]
    assert ended_by_hand(rollout(step=0), [document]) == (RUN,)


@pytest.mark.parametrize("junk", [None, 7, [], {}, {"metadata": []}, {"spec": {"terminate": "yes"}}])
def test_what_cannot_be_read_names_nothing(junk: Any) -> None:
    assert ended_by_hand(rollout(), [junk]) == ()
    assert ended_by_hand(junk, [run()]) == ()
    broken = copy.deepcopy(run())
    broken["spec"]["terminate"] = "yes"
    assert ended_by_hand(rollout(), [broken, run(**{"step-index": "0"})]) == (RUN,)
