"""What is written to a Rollout names the version that was judged, and nothing beside what was decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from recorded_rollouts import seen

from reconciler.core.progressive.patches import abort_patch, promote_full_patch, release_patch, retry_patch


def test_a_step_is_released_behind_the_uid_the_version_the_step_and_the_pause() -> None:
    assert release_patch(seen("canary-paused")) == [
        {"op": "test", "path": "/metadata/uid", "value": "51b1e079-ff43-447f-af67-a72949873840"},
        {"op": "test", "path": "/status/currentPodHash", "value": "645bf85ff8"},
        {"op": "test", "path": "/status/currentStepIndex", "value": 1},
        {"op": "test", "path": "/status/pauseConditions/0/reason", "value": "CanaryPauseStep"},
        {"op": "remove", "path": "/status/pauseConditions"},
    ]


def test_a_switch_is_released_without_a_step() -> None:
    paths = [(each["op"], each["path"]) for each in release_patch(seen("blue-green-paused"))]
    assert paths == [
        ("test", "/metadata/uid"),
        ("test", "/status/currentPodHash"),
        ("test", "/status/pauseConditions/0/reason"),
        ("remove", "/status/pauseConditions"),
    ]


def test_an_inconclusive_step_is_left_behind_with_the_pause_of_the_controller() -> None:
    patch = release_patch(seen("canary-inconclusive"))
    assert patch[3:] == [
        {"op": "test", "path": "/status/pauseConditions/0/reason", "value": "InconclusiveAnalysisRun"},
        {"op": "test", "path": "/status/canary/currentStepAnalysisRunStatus/name", "value": "web-645bf85ff8-2-1"},
        {"op": "test", "path": "/status/canary/currentStepAnalysisRunStatus/status", "value": "Inconclusive"},
        {"op": "remove", "path": "/status/pauseConditions"},
        {"op": "add", "path": "/status/controllerPause", "value": False},
        {"op": "add", "path": "/status/currentStepIndex", "value": 2},
    ]
    assert {"op": "test", "path": "/status/currentStepIndex", "value": 1} in patch


@pytest.mark.parametrize("state", ["canary-background-inconclusive-in-a-pause", "blue-green-inconclusive"])
def test_an_inconclusive_analysis_of_no_step_moves_no_step(state: str) -> None:
    assert [each["path"] for each in release_patch(seen(state)) if each["op"] != "test"] == ["/status/pauseConditions"]


def test_what_is_not_paused_cannot_be_released() -> None:
    with pytest.raises(ValueError, match="is not paused"):
        release_patch(seen("canary-gate-waits"))
    with pytest.raises(ValueError, match="is not paused"):
        release_patch(replace(seen("canary-paused"), pod_hash=""))


def test_a_full_promotion_is_of_the_version_that_was_seen_and_not_after_an_abort() -> None:
    assert promote_full_patch(seen("canary-paused")) == [
        {"op": "test", "path": "/metadata/uid", "value": "51b1e079-ff43-447f-af67-a72949873840"},
        {"op": "test", "path": "/status/currentPodHash", "value": "645bf85ff8"},
        {"op": "test", "path": "/status/phase", "value": "Paused"},
        {"op": "add", "path": "/status/promoteFull", "value": True},
    ]


def test_an_abort_takes_a_full_promotion_back_and_a_retry_takes_the_abort_back() -> None:
    version = [
        {"op": "test", "path": "/metadata/uid", "value": "51b1e079-ff43-447f-af67-a72949873840"},
        {"op": "test", "path": "/status/currentPodHash", "value": "645bf85ff8"},
    ]
    assert abort_patch(seen("canary-paused")) == [
        *version,
        {"op": "add", "path": "/status/abort", "value": True},
        {"op": "add", "path": "/status/promoteFull", "value": False},
    ]
    assert retry_patch(seen("canary-aborted-by-hand")) == [
        *version,
        {"op": "test", "path": "/status/abort", "value": True},
        {"op": "replace", "path": "/status/abort", "value": False},
    ]
