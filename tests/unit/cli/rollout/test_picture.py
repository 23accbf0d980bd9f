"""What is made of the documents around a Rollout: steps, weights, versions, analyses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from rollout_documents import (
    GIVEN,
    NEW,
    NEW_COMMIT,
    NOW,
    OLD,
    OLD_COMMIT,
    application,
    blue_green,
    replica_set,
    rollout,
    run,
    scene,
)

from reconciler.cli.rollout.picture import Picture, pictures
from reconciler.cli.rollout.steps import Reached, words
from reconciler.cli.rollout.value import as_value


def picture(*around: dict[str, Any], of: dict[str, Any] | None = None, one: dict[str, Any] | None = None) -> Picture:
    (found,) = pictures(scene(one, *around, of=of), NOW)
    return found


def reached(found: Picture) -> str:
    return "".join({Reached.DONE: "x", Reached.NOW: ">", Reached.TODO: "."}[step.reached] for step in found.steps)


def test_a_canary_at_a_pause() -> None:
    found = picture()
    assert (found.phase, found.done, found.weight, found.by_pods) == ("Paused", None, 25, 33)
    assert reached(found) == "x>..."
    assert [step.words for step in found.steps] == [
        "weight 25%",
        "pause until approved",
        "gate: approval",
        "weight 60%",
        "pause 20s",
    ]
    assert (found.decision, found.why[:12]) == ("hold", f"version {NEW[:4]}")


def test_each_version_has_its_commit_its_images_and_its_pods() -> None:
    new, stable = picture().versions
    assert (new.role, new.hash, new.commit, new.images, new.wanted, new.ready) == (
        "new",
        NEW,
        NEW_COMMIT,
        ("nginx:1.29.4",),
        1,
        1,
    )
    assert (stable.role, stable.hash, stable.commit, stable.ready) == ("stable", OLD, OLD_COMMIT, 2)
    assert [(pod.name[-5:], pod.ready) for pod in stable.pods] == [("574wk", True), ("5gjvh", True), ("rmgsv", False)]


def test_a_version_without_pods_yet_is_told_from_its_template() -> None:
    of = application()
    drawn = scene(None, of=of)
    (found,) = pictures(replace(drawn, around=[]), NOW)
    assert [(each.role, each.images, each.wanted) for each in found.versions] == [
        ("new", ("nginx:1.29.4",), 0),
        ("stable", (), 0),
    ]
    assert found.by_pods is None


def test_what_is_left_of_an_older_version_is_shown_while_it_wants_pods() -> None:
    older, gone = replica_set("older", "nginx:1.29.2", 1, 1), replica_set("gone", "nginx:1.29.1", 0, 0)
    assert [each.role for each in picture(older, gone).versions] == ["new", "stable", "old"]


@pytest.mark.parametrize(
    ("status", "phase", "steps", "weight", "done"),
    [
        ({"currentStepIndex": 0}, "Paused", ">....", 25, None),
        ({"currentStepIndex": 3}, "Paused", "xxx>.", 60, None),
        ({"currentStepIndex": 5}, "Paused", "xxxxx", 100, None),
        ({"currentStepIndex": None}, "Paused", ">....", 25, None),
        ({"canary": {"weights": {"canary": {"weight": 7}}}}, "Paused", "x>...", 7, None),
        (
            {"abort": True, "abortedAt": "2026-11-26T04:32:30Z", "currentStepIndex": 0, "phase": "Degraded"},
            "Aborted",
            ".....",
            0,
            False,
        ),
        ({"stableRS": NEW, "phase": "Healthy", "currentStepIndex": 5}, "Healthy", "xxxxx", 100, True),
        ({"stableRS": NEW, "phase": "Progressing", "currentStepIndex": 5}, "Progressing", "xxxxx", 100, None),
        ({"observedGeneration": "1"}, "Waiting", "x>...", 25, None),
    ],
)
def test_how_far_a_canary_is(status: dict[str, Any], phase: str, steps: str, weight: int, done: bool | None) -> None:
    found = picture(one=rollout(status))
    assert (found.phase, reached(found), found.weight, found.done) == (phase, steps, weight, done)


@pytest.mark.parametrize(
    ("status", "spec", "expected"),
    [
        ({}, {}, "xx>."),
        ({"updatedReplicas": 2, "pauseConditions": None}, {}, ">..."),
        ({"blueGreen": {"activeSelector": OLD}}, {}, "x>.."),
        ({"blueGreen": {"activeSelector": NEW}}, {"postPromotionAnalysis": {"templates": []}}, "xxxx>"),
        ({"stableRS": NEW, "phase": "Healthy"}, {"postPromotionAnalysis": {"templates": []}}, "xxxxx"),
        ({"abort": True, "abortedAt": "2026-11-26T04:32:30Z"}, {}, "...."),
        ({}, {"autoPromotionEnabled": None, "autoPromotionSeconds": 30}, "xx>."),
        ({}, {"autoPromotionEnabled": None}, "xx>"),
    ],
)
def test_how_far_a_blue_green_is(status: dict[str, Any], spec: dict[str, Any], expected: str) -> None:
    found = picture(one=blue_green(status, **spec))
    assert (reached(found), found.weight) == (expected, None)


def test_the_order_of_a_blue_green_in_words() -> None:
    found = picture(one=blue_green({}, postPromotionAnalysis={"templates": []}, autoPromotionEnabled=False))
    assert [step.words for step in found.steps] == [
        "pods of the new version",
        "analysis before the switch",
        "pause until approved",
        "switch of web",
        "analysis after the switch",
    ]


@pytest.mark.parametrize(
    ("step", "given", "expected"),
    [
        ({"setWeight": 0}, {}, "weight 0%"),
        ({"pause": None}, {}, "pause until approved"),
        ({"pause": {"duration": 90}}, {}, "pause 90s"),
        ({"pause": {"duration": "90"}}, {}, "pause 90s"),
        ({"pause": {"duration": "1h"}}, {}, "pause 1h"),
        ({"analysis": {"templates": [{"templateName": "a"}, {"templateName": "b"}]}}, {}, "analysis a, b"),
        ({"analysis": {}}, {"gate": {}}, "gate: approval"),
        ({"analysis": {}}, {"gate": {"healthy": {"applications": ["db"], "duration": "5m"}}}, "gate: db Ready for 5m"),
        (
            {"analysis": {}},
            {"gate": {"approval": True, "healthy": {"applications": ["db", "mq"], "duration": "0s"}}},
            "gate: approval and db, mq Ready",
        ),
        ({"setHeaderRoute": {"name": "beta"}}, {}, "header route beta"),
        ({"setMirrorRoute": {"name": "copy", "percentage": 5}}, {}, "mirror route copy"),
        ({"setCanaryScale": {"replicas": 2}}, {}, "scale 2 pods"),
        ({"setCanaryScale": {"weight": 20}}, {}, "scale 20%"),
        ({"setCanaryScale": {"matchTrafficWeight": True}}, {}, "scale with the weight"),
        ({"plugin": {"name": "a/b"}}, {}, "plugin a/b"),
        ({"experiment": {}}, {}, "experiment"),
        ({"newKind": {}}, {}, "newKind"),
        ({}, {}, "nothing"),
    ],
)
def test_a_step_in_words(step: dict[str, Any], given: dict[str, Any], expected: str) -> None:
    assert words(step, given) == expected


def test_gates_are_known_only_while_the_applications_steps_are_those_of_the_rollout() -> None:
    other = application()
    other["spec"]["strategy"]["canary"]["steps"] = GIVEN[:3]
    assert picture(of=other).steps[2].words == "analysis web-step-3"


def test_the_last_run_of_each_question_is_shown_with_its_last_measurements() -> None:
    early = run(2, "Error", "9", made="2026-11-26T04:32:10Z")
    late = run(2, "Running", *"1234567", successful=6, failed=1)
    late["metadata"]["name"] += ".1"
    other = run(0, "Successful", "[0.02]")
    foreign = run(2, "Failed", "0")
    foreign["metadata"]["ownerReferences"] = [{"uid": "else", "controller": True}]
    first, second = sorted(picture(early, late, other, foreign).analyses, key=lambda each: each.step or 0)
    assert (first.step, first.phase, [one.value for one in first.metrics[0].last]) == (0, "Successful", ["0.02"])
    assert (second.step, second.phase, second.name[-2:]) == (2, "Running", ".1")
    assert [one.value for one in second.metrics[0].last] == ["3", "4", "5", "6", "7"]
    assert (second.metrics[0].good, second.metrics[0].bad) == (6, 1)


def test_an_error_shows_its_message() -> None:
    failed = run(2, "Error", error=3)
    failed["status"]["metricResults"][0]["measurements"] = [{"phase": "Error", "message": "connection refused"}]
    (metric,) = picture(failed).analyses[0].metrics
    assert (metric.errors, metric.message, metric.last[0].value) == (3, "connection refused", "error")


def test_json_holds_all_of_it() -> None:
    of = application(queued={"revision": "main@sha1:55", "reason": "RevisionQueued"}, vetoes=[{"template": "t"}])
    value = json.loads(json.dumps(as_value(of, [picture(run(2, "Running", "0.1"))])))
    (one,) = value["rollouts"]
    assert value["ref"] == "Application.dispatch.dev/team-a/web"
    assert (one["ref"], one["step"], one["podHash"], one["weight"]) == ("Rollout.argoproj.io/shop/web", 1, NEW, 25)
    assert one["analyses"][0]["metrics"][0]["last"][0]["value"] == "0.1"
    assert (value["queued"]["revision"], value["vetoes"], value["revert"]) == (
        "main@sha1:55",
        [{"template": "t"}],
        None,
    )
