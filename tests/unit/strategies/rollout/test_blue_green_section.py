"""A blue/green switch as Argo Rollouts reads it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.outcome import Reason, Terminal
from reconciler.model.strategy import BlueGreen
from reconciler.ports import Making, Written
from strategies.rollout.blue_green_section import write

MAKING = Making("shop", "web", "", prometheus="http://prometheus:9090", service="front")
QUERY = {"prometheus": {"query": "errors", "max": "0.05"}}


def written(section: dict[str, Any], making: Making = MAKING) -> Written:
    return write(BlueGreen.model_validate(section), making)


def test_the_switch_is_automatic_and_the_old_version_stays_for_a_while() -> None:
    assert written({"scaleDownDelay": "1500ms"}).strategy == {
        "blueGreen": {
            "activeService": "front",
            "previewService": "front-preview",
            "autoPromotionEnabled": True,
            "scaleDownDelaySeconds": 2,
        }
    }


def test_an_approval_stops_the_switch() -> None:
    section = written({"approval": True, "previewService": "next", "previewReplicas": 1}).strategy["blueGreen"]
    assert section["autoPromotionEnabled"] is False
    assert (section["previewService"], section["previewReplicaCount"]) == ("next", 1)


def test_analyses_before_and_after_are_named_after_their_place() -> None:
    made = written({"before": [QUERY, {"template": "smoke"}, QUERY], "after": [QUERY]})
    section = made.strategy["blueGreen"]
    assert section["prePromotionAnalysis"]["templates"] == [
        {"templateName": "web-before-1"},
        {"templateName": "smoke"},
        {"templateName": "web-before-3"},
    ]
    assert section["postPromotionAnalysis"]["templates"] == [{"templateName": "web-after-1"}]
    assert [arg["name"] for arg in section["prePromotionAnalysis"]["args"]] == ["hash", "stable"]
    names = [each["metadata"]["name"] for each in made.objects]
    assert names == ["web-before-1", "web-before-3", "web-after-1"]


def test_no_two_metrics_of_one_run_share_a_name() -> None:
    made = written({"before": [QUERY, QUERY], "after": [QUERY]})
    metrics = [each["spec"]["metrics"][0]["name"] for each in made.objects]
    assert metrics == ["before-1", "before-2", "after-1"]


@pytest.mark.parametrize(
    ("section", "making", "says"),
    [
        ({}, Making("shop", "web", ""), "spec.strategy.blueGreen.service"),
        ({"previewService": "front"}, MAKING, "front-preview"),
        ({"after": [QUERY]}, Making("shop", "web", "", service="front"), "spec.strategy.blueGreen.after[0].prometheus"),
    ],
)
def test_what_the_controller_would_refuse_is_refused(section: dict[str, Any], making: Making, says: str) -> None:
    with pytest.raises(Terminal) as caught:
        written(section, making)
    assert caught.value.reason is Reason.INVALID_SPEC
    assert says in caught.value.message
