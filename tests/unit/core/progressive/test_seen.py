"""What is seen of a Rollout is what its controller meant, and a document that nobody promised is no reason to fall."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from recorded_rollouts import ROLLOUTS, recorded, seen

from reconciler.core.progressive.seen import see, see_deployment
from reconciler.model.identity import ObjectId
from reconciler.model.rollout import CANDIDATE, AnalysisKind, Phase

CANARY = {"strategy": "canary", "observed": True, "steps": 4, "uid": "51b1e079-ff43-447f-af67-a72949873840"}
STATES: list[tuple[str, dict[str, Any]]] = [
    ("canary-first", {"phase": Phase.PROGRESSING, "first": True, "promoted": False, "revision": 1, "in_flight": True}),
    ("canary-healthy", {**CANARY, "phase": Phase.HEALTHY, "promoted": True, "step": 4, "revision": 1, "pause": ""}),
    (
        "canary-paused",
        {
            **CANARY,
            "phase": Phase.PAUSED,
            "pod_hash": "645bf85ff8",
            "stable_hash": "7684585bc8",
            "step": 1,
            "pause": "CanaryPauseStep",
            "pause_since": datetime(2026, 11, 26, 4, 21, 32, tzinfo=UTC),
            "timed": False,
            "controller_pause": True,
            "in_flight": True,
            "replicas": 2,
            "updated": 1,
            "available": 2,
            "weight": None,
            "workload": None,
            "revision": 2,
        },
    ),
    ("canary-timed-pause", {**CANARY, "phase": Phase.PAUSED, "pause": "CanaryPauseStep", "step": 2, "timed": True}),
    ("canary-paused-by-spec", {"phase": Phase.PAUSED, "spec_paused": True, "message": "manually paused"}),
    ("canary-aborted-by-hand", {"phase": Phase.DEGRADED, "aborted": True, "step": 0, "in_flight": False}),
    ("canary-aborted-by-analysis", {"phase": Phase.DEGRADED, "aborted": True, "observed": True}),
    ("canary-inconclusive", {"phase": Phase.PAUSED, "pause": "InconclusiveAnalysisRun", "step": 1, "timed": False}),
    ("canary-gate-waits", {"phase": Phase.PROGRESSING, "pause": "", "step": 1}),
    ("canary-invalid", {"phase": Phase.DEGRADED, "invalid": True, "observed": True}),
    ("canary-deadline-exceeded", {"phase": Phase.DEGRADED, "aborted": False, "promoted": False}),
    ("canary-first-deadline-exceeded", {"phase": Phase.DEGRADED, "promoted": True, "revision": 1}),
    ("blue-green-healthy", {"strategy": "blueGreen", "phase": Phase.HEALTHY, "step": None, "steps": 0}),
    ("blue-green-paused", {"phase": Phase.PAUSED, "pause": "BlueGreenPause", "step": None, "timed": False}),
    ("blue-green-timed-pause", {"phase": Phase.PAUSED, "pause": "BlueGreenPause", "step": None, "timed": True}),
    ("blue-green-inconclusive", {"pause": "InconclusiveAnalysisRun", "phase": Phase.PAUSED}),
    ("workload-paused", {"observed": True, "workload": ObjectId("apps", "Deployment", "NAMESPACE", "web")}),
]


@pytest.mark.parametrize(("name", "wanted"), STATES, ids=[name for name, _ in STATES])
def test_each_state_is_seen_as_the_controller_left_it(name: str, wanted: dict[str, Any]) -> None:
    rollout = seen(name)
    if wanted.get("workload"):
        wanted = wanted | {"workload": wanted["workload"]._replace(namespace=rollout.id.namespace)}
    assert {field: getattr(rollout, field) for field in wanted} == wanted
    assert rollout.id.name == "web" and rollout.uid and rollout.moved


@pytest.mark.parametrize(
    ("name", "kind", "run", "status"),
    [
        ("canary-gate-waits", AnalysisKind.STEP, "web-645bf85ff8-2-1", "Running"),
        ("canary-inconclusive", AnalysisKind.STEP, "web-645bf85ff8-2-1", "Inconclusive"),
        ("canary-background-was-ended", AnalysisKind.BACKGROUND, "web-645bf85ff8-2", "Successful"),
        ("blue-green-inconclusive", AnalysisKind.PRE_PROMOTION, "web-645bf85ff8-2-pre", "Inconclusive"),
    ],
)
def test_the_analyses_are_those_that_the_status_names(name: str, kind: AnalysisKind, run: str, status: str) -> None:
    (found,) = seen(name).analyses
    assert (found.kind, found.name, found.status, found.terminated) == (kind, run, status, False)
    (found,) = seen(name, terminated=(run,)).analyses
    assert found.terminated


def test_an_analysis_after_the_promotion_is_seen() -> None:
    document = recorded("blue-green-paused")
    document["status"]["blueGreen"]["postPromotionAnalysisRunStatus"] = {"name": "web-1-2-post", "status": "Running"}
    (found,) = see(document).analyses
    assert (found.kind, found.status) == (AnalysisKind.POST_PROMOTION, "Running")


def test_a_step_that_was_passed_by_ending_its_analysis_is_still_known() -> None:
    """The status has forgotten the run in the instant in which the step was passed."""
    assert seen("canary-gate-was-ended").analyses == ()
    (found,) = seen(
        "canary-gate-was-ended", ("web-645bf85ff8-2-1", "web-645bf85ff8-2-2", "web-7684585bc8-1-0")
    ).analyses
    assert (found.kind, found.name, found.terminated) == (AnalysisKind.STEP, "web-645bf85ff8-2-1", True)


def test_since_when_the_deadline_is_exceeded_is_the_time_of_the_condition() -> None:
    rollout = seen("canary-deadline-exceeded")
    conditions = recorded("canary-deadline-exceeded")["status"]["conditions"]
    (stuck,) = (each for each in conditions if each["reason"] == "ProgressDeadlineExceeded")
    assert rollout.stuck_since == datetime.fromisoformat(stuck["lastUpdateTime"])
    assert seen("canary-paused").stuck_since is None


def test_of_two_pauses_the_first_has_the_reason_and_the_newest_the_time() -> None:
    pauses = recorded("canary-background-inconclusive-in-a-pause")["status"]["pauseConditions"]
    rollout = seen("canary-background-inconclusive-in-a-pause")
    assert [each["reason"] for each in pauses] == ["CanaryPauseStep", "InconclusiveAnalysisRun"]
    assert rollout.pause == "CanaryPauseStep"
    assert rollout.pause_since == datetime.fromisoformat(pauses[1]["startTime"]) != pauses[0]["startTime"]


def changed(name: str, **status: Any) -> dict[str, Any]:
    document = recorded(name)
    document["status"] = {key: value for key, value in (document["status"] | status).items() if value is not None}
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({**recorded("canary-paused"), "status": None}, "the spec of the Rollout"),
        (changed("canary-paused", observedGeneration="2"), "the spec of the Rollout"),
        (changed("canary-paused", pauseConditions=None), "to leave the pause"),
        (changed("workload-paused", workloadObservedGeneration="2"), "the workload that the Rollout refers to"),
        (changed("canary-paused", abort=True), "to carry the abort out"),
        (changed("canary-aborted-by-hand", abort=False), "to take the abort back"),
        (changed("canary-aborted-by-hand", abort=None), "to take the abort back"),
    ],
    ids=["no status", "spec", "pause ended", "workload", "abort asked", "retry asked", "retry asked, field dropped"],
)
def test_what_the_controller_has_still_to_see_is_not_observed(document: dict[str, Any], message: str) -> None:
    rollout = see(document)
    assert not rollout.observed
    assert message in rollout.message
    assert rollout.in_flight or rollout.aborted


@pytest.mark.parametrize("generation", ["7", "a hash of v0.9", None])
def test_a_generation_that_is_larger_or_no_number_counts_as_seen(generation: str | None) -> None:
    assert see(changed("canary-paused", observedGeneration=generation)).observed


def test_a_template_that_was_applied_a_moment_ago_is_not_the_promoted_one() -> None:
    """The Rollout itself says Healthy and promoted until the controller hears of its Deployment's new template."""
    rollout, deployment = recorded("workload-not-yet-seen"), recorded("workload-not-yet-seen-deployment")
    assert see(rollout).promoted and see(rollout).observed
    assert not see(rollout, workload=deployment).observed
    assert see(rollout, workload={**deployment, "metadata": {"generation": 3}}).observed


def test_a_spec_that_was_refused_is_told_although_its_workload_was_not_looked_at() -> None:
    document = changed("workload-not-yet-seen", conditions=[{"type": "InvalidSpec", "status": "True"}])
    rollout = see(document, workload=recorded("workload-not-yet-seen-deployment"))
    assert rollout.observed and rollout.invalid


def test_a_rollout_that_is_being_deleted_is_left_alone() -> None:
    document = recorded("canary-paused")
    document["metadata"]["deletionTimestamp"] = "2026-11-26T05:00:00Z"
    assert not see(document).observed


def test_the_last_sign_is_the_newest_time_of_the_status_or_of_a_write() -> None:
    document = recorded("canary-paused")
    before = see(document).moved
    document["metadata"]["managedFields"] = [{"manager": "kubectl", "time": "2026-11-26T06:00:00Z"}]
    assert before == datetime(2026, 11, 26, 4, 21, 32, tzinfo=UTC)
    assert see(document).moved == datetime(2026, 11, 26, 6, tzinfo=UTC)
    spec = {"manager": "kubectl", "time": "2026-11-26T07:00:00+00:00"}
    status = {"manager": "kube-controller-manager", "subresource": "status", "time": "2026-11-26T08:00:00Z"}
    workload = {"metadata": {"managedFields": [spec, status]}}
    assert see(document, workload=workload).moved == datetime(2026, 11, 26, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phase", "wanted"), [("Frozen", Phase.UNKNOWN), ("Unknown", Phase.UNKNOWN), ("", Phase.PAUSED)]
)
def test_a_phase_that_nobody_knows_is_unknown_and_a_missing_one_is_calculated(phase: str, wanted: Phase) -> None:
    rollout = see(changed("canary-paused", phase=phase))
    assert (rollout.phase, rollout.observed) == (wanted, True)


@pytest.mark.parametrize("junk", [7, "text", [], [1], True])
@pytest.mark.parametrize("field", ["status", "spec", "metadata"])
def test_a_document_of_another_shape_is_not_observed_and_says_why(field: str, junk: Any) -> None:
    rollout = see(recorded("canary-paused") | {field: junk})
    assert not rollout.observed
    assert rollout.message
    assert see(junk).uid == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"pauseConditions": ["CanaryPauseStep"]},
        {"currentStepIndex": "1"},
        {"conditions": {"type": "Paused"}},
        {"abort": "true"},
        {"canary": {"weights": {"canary": {"weight": "5"}}}},
        {"currentStepIndex": 10**30},
    ],
    ids=str,
)
def test_a_status_with_a_field_of_another_type_is_not_observed_and_names_the_field(wrong: dict[str, Any]) -> None:
    rollout = see(changed("canary-paused", **wrong))
    assert (rollout.observed, rollout.phase, rollout.pod_hash) == (False, Phase.UNKNOWN, "")
    assert f"status.{next(iter(wrong))}" in rollout.message
    assert (rollout.id.name, rollout.uid) == ("web", CANARY["uid"])


def test_a_time_that_cannot_be_read_is_no_time() -> None:
    for time in ("yesterday", "2026-11-26", "0001-01-01T00:00:00+14:00", 5):
        assert see(
            changed("canary-paused", pauseConditions=[{"reason": "CanaryPauseStep", "startTime": time}])
        ).observed


def test_the_weight_of_a_traffic_router_is_seen() -> None:
    assert see(changed("canary-paused", canary={"weights": {"canary": {"weight": 5}}})).weight == 5


def test_an_index_outside_of_the_steps_is_at_their_ends() -> None:
    assert see(changed("canary-paused", currentStepIndex=9)).step == 4
    assert see(changed("canary-paused", currentStepIndex=-1)).step == 0
    assert see(changed("canary-paused", currentStepIndex=None)).step == 0


@pytest.mark.parametrize("name", ROLLOUTS)
def test_seeing_changes_nothing(name: str) -> None:
    document = recorded(name)
    before = copy.deepcopy(document)
    see(document, workload=document)
    assert document == before


def test_a_deployment_is_seen_with_the_version_that_it_holds() -> None:
    document = recorded("workload-not-yet-seen-deployment")
    document["metadata"]["annotations"] = {CANDIDATE: "abc.def"}
    document["spec"]["replicas"] = 3
    document["status"] = {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 1}
    found = see_deployment(document)
    assert (found.observed, found.replicas, found.updated, found.available) == (True, 3, 2, 1)
    assert (found.candidate, found.id.name, found.id.kind) == ("abc.def", "web", "Deployment")
    assert (found.generation, found.moved) == (4, None)
    written = {"manager": "dispatch", "time": "2026-11-26T07:00:00Z"}
    counted = {"manager": "kube-controller-manager", "subresource": "status", "time": "2026-11-26T08:00:00Z"}
    document["metadata"] |= {"managedFields": [written, counted], "generation": 5}
    assert see_deployment(document).moved == datetime(2026, 11, 26, 7, tzinfo=UTC)
    assert not see_deployment(document).observed


@pytest.mark.parametrize("junk", [None, 7, {}, {"spec": 1}, {"metadata": {"generation": "1"}}, {"status": []}])
def test_a_deployment_that_cannot_be_read_is_not_observed(junk: Any) -> None:
    assert not see_deployment(junk).observed
