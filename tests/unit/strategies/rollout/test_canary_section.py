"""A canary as Argo Rollouts reads it; nothing that it would refuse is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.outcome import Reason, Terminal
from reconciler.model.strategy import Canary
from reconciler.ports import Making, Written
from strategies.rollout.canary_section import write

MAKING = Making("shop", "web", "http://dispatch:8080/gates", prometheus="http://prometheus:9090")
QUERY = {"prometheus": {"query": "errors", "max": "0.05"}}


def written(section: dict[str, Any], making: Making = MAKING) -> Written:
    return write(Canary.model_validate(section), making)


def steps(*given: dict[str, Any]) -> list[Any]:
    made: list[Any] = written({"steps": list(given)}).strategy["canary"]["steps"]
    return made


def refusal(section: dict[str, Any], making: Making = MAKING) -> str:
    with pytest.raises(Terminal) as caught:
        written(section, making)
    assert caught.value.reason is Reason.INVALID_SPEC
    return caught.value.message


def test_weights_and_pauses_are_argo_rollouts_own() -> None:
    assert steps({"weight": 20}, {"pause": {"duration": "1m30s"}}, {"pause": {}}) == [
        {"setWeight": 20},
        {"pause": {"duration": "1m30s"}},
        {"pause": {}},
    ]


def test_a_part_of_a_second_is_not_cut_off() -> None:
    assert steps({"pause": {"duration": "1500ms"}}) == [{"pause": {"duration": "2s"}}]


def test_an_analysis_is_named_after_its_place_and_told_both_versions() -> None:
    (_, step) = steps({"weight": 5}, {"analysis": QUERY})
    assert step["analysis"]["templates"] == [{"templateName": "web-step-2"}]
    assert step["analysis"]["args"] == [
        {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "stable", "valueFrom": {"podTemplateHashValue": "Stable"}},
    ]


def test_what_a_step_asks_is_not_in_the_steps() -> None:
    """A change of the steps restarts a running canary."""
    one, other = (
        written({"steps": [{"analysis": {**analysis, "interval": interval}}, {"gate": {"interval": interval}}]})
        for analysis, interval in (
            (QUERY, "10s"),
            ({"web": {"url": "http://other", "min": "3"}, "count": 4, "failureLimit": 1}, "30s"),
        )
    )
    assert one.strategy == other.strategy
    assert one.objects != other.objects


def test_another_address_of_dispatch_is_not_in_the_steps() -> None:
    section = {"steps": [{"gate": {"approval": True}}, {"analysis": QUERY}]}
    other = Making("shop", "web", "http://elsewhere/gates", prometheus="http://elsewhere:9090")
    assert written(section).strategy == written(section, other).strategy


def test_the_numbers_of_prometheus_must_all_keep_the_bound() -> None:
    (template,) = written({"steps": [{"analysis": {**QUERY, "count": 3, "failureLimit": 1}}]}).objects
    assert template["metadata"] == {"name": "web-step-1", "namespace": "shop"}
    assert template["spec"]["metrics"] == [
        {
            "name": "question",
            "interval": "30s",
            "count": 2147483647,
            "consecutiveSuccessLimit": 3,
            "failureLimit": 1,
            "inconclusiveLimit": 10,
            "consecutiveErrorLimit": 30,
            "successCondition": "len(result) > 0 && all(result, {# <= 0.05})",
            "failureCondition": "any(result, {# > 0.05})",
            "provider": {"prometheus": {"address": "http://prometheus:9090", "query": "errors"}},
        }
    ]


@pytest.mark.parametrize(
    ("bound", "success", "failure"),
    [
        ({"min": "007"}, "# >= 7.0", "# < 7.0"),
        ({"min": "-1", "max": "2.50"}, "# >= -1.0 && # <= 2.50", "# < -1.0 || # > 2.50"),
        ({"max": "9" * 32}, f"# <= {'9' * 32}.0", f"# > {'9' * 32}.0"),
    ],
)
def test_a_bound_is_a_number_of_the_expression_language(bound: dict[str, str], success: str, failure: str) -> None:
    (template,) = written({"steps": [{"analysis": {"prometheus": {"query": "x", **bound}}}]}).objects
    (metric,) = template["spec"]["metrics"]
    assert metric["successCondition"] == f"len(result) > 0 && all(result, {{{success}}})"
    assert metric["failureCondition"] == f"any(result, {{{failure}}})"


def test_five_minutes_without_a_number_are_waited_out() -> None:
    (template,) = written({"steps": [{"analysis": {**QUERY, "interval": "1s"}}]}).objects
    assert template["spec"]["metrics"][0]["inconclusiveLimit"] == 300


def test_a_gate_asks_dispatch_about_this_step_of_this_version() -> None:
    made = written({"steps": [{"weight": 5}, {"gate": {"approval": True}}]})
    step = made.strategy["canary"]["steps"][1]["analysis"]
    assert step["args"] == [
        {"name": "namespace", "value": "shop"},
        {"name": "rollout", "value": "web"},
        {"name": "step", "value": "1"},
        {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
    ]
    (template,) = made.objects
    (metric,) = template["spec"]["metrics"]
    assert metric["provider"]["web"]["url"] == (
        "http://dispatch:8080/gates/{{args.namespace}}/{{args.rollout}}/{{args.hash}}/{{args.step}}"
    )
    assert (metric["failureLimit"], metric["consecutiveSuccessLimit"]) == (0, 1)
    assert {metric[limit] for limit in ("count", "inconclusiveLimit", "consecutiveErrorLimit")} == {2147483647}


def test_a_gate_without_an_address_says_how_to_give_one() -> None:
    assert "--gates-url" in refusal({"steps": [{"gate": {}}]}, Making("shop", "web", ""))


def test_a_metric_without_prometheus_names_the_field_and_the_way_out() -> None:
    message = refusal({"steps": [{"weight": 1}, {"analysis": QUERY}]}, Making("shop", "web", "", prometheus=""))
    assert "spec.strategy.canary.steps[1].analysis.prometheus.address" in message
    assert "--prometheus" in message


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ({"prometheus": {"query": "scalar(x)", "max": "1"}}, "vector(scalar(x))"),
        ({"prometheus": {"query": "1", "max": "1"}}, "vector(1)"),
        ({"prometheus": {"query": "x", "max": "1", "address": "prometheus:9090"}}, "http://prometheus:9090"),
        ({"prometheus": {"query": "x{a='{{args.pod}}'}", "max": "1"}}, "{{args.hash}}"),
        ({"web": {"url": "http://a/{{hash}}", "max": "1"}}, "{{args.hash}}"),
        ({"web": {"url": "http://a/{{args.hash", "max": "1"}}, "{{args.hash}}"),
        ({"job": {"spec": {"template": {"args": ["{{ .Values.x }}"]}}}}, "{{args.hash}}"),
    ],
)
def test_what_the_controller_would_refuse_is_refused_with_the_place(metric: dict[str, Any], says: str) -> None:
    message = refusal({"steps": [{"analysis": metric}]})
    assert message.startswith("spec.strategy.canary.steps[0].analysis")
    assert says in message


def test_a_web_answer_is_a_number_or_a_text() -> None:
    made = written({"steps": [{"analysis": {"web": {"url": "http://a", "max": "1"}}}]})
    made_text = written({"steps": [{"analysis": {"web": {"url": "http://a", "equals": 'o"k', "jsonPath": "{$.s}"}}}]})
    (number,), (text,) = made.objects[0]["spec"]["metrics"], made_text.objects[0]["spec"]["metrics"]
    assert number["successCondition"] == "!isNil(result) && asFloat(result) <= 1.0"
    assert number["failureCondition"] == "!isNil(result) && (asFloat(result) > 1.0)"
    assert text["successCondition"] == '!isNil(result) && string(result) == "o\\"k"'
    assert text["failureCondition"] == 'isNil(result) || string(result) != "o\\"k"'
    assert text["provider"]["web"] == {"url": "http://a", "jsonPath": "{$.s}"}


def test_a_job_is_run_as_it_is_given() -> None:
    job = {"backoffLimit": 2, "template": {"spec": {"containers": []}}}
    (template,) = written({"steps": [{"analysis": {"job": {"spec": job}, "count": 2, "failureLimit": 9}}]}).objects
    (metric,) = template["spec"]["metrics"]
    assert metric["provider"] == {"job": {"spec": job}}
    assert (metric["count"], metric["failureLimit"], metric["interval"]) == (2, 2, "30s")


def test_a_template_that_is_there_is_named_and_not_made() -> None:
    made = written({"steps": [{"analysis": {"template": "smoke"}}]})
    assert made.objects == ()
    assert made.strategy["canary"]["steps"][0]["analysis"]["templates"] == [{"templateName": "smoke"}]


def test_surge_in_pods_and_in_shares() -> None:
    canary = written({"steps": [], "maxSurge": "2", "maxUnavailable": "10%"}).strategy["canary"]
    assert (canary["maxSurge"], canary["maxUnavailable"]) == (2, "10%")


def test_a_surge_that_lets_no_pod_be_replaced_is_refused() -> None:
    assert "both 0" in refusal({"maxSurge": "0", "maxUnavailable": "0%"})
    assert "maxSurge" in refusal({"maxSurge": "some"})


ROUTING = {"istio": {"virtualService": {"name": "web"}}, "managedRoutes": [{"name": "try"}]}


def test_traffic_is_divided_between_two_services() -> None:
    routed = Making("shop", "web", "", service="web")
    canary = written({"trafficRouting": ROUTING}, routed).strategy["canary"]
    assert (canary["stableService"], canary["canaryService"]) == ("web", "web-canary")
    assert canary["trafficRouting"] == ROUTING


def test_istios_subsets_need_no_services() -> None:
    subsets = {"istio": {"destinationRule": {"name": "web"}, "virtualService": {"name": "web"}}}
    canary = written({"trafficRouting": subsets}, Making("shop", "web", "", service="web")).strategy["canary"]
    assert set(canary) == {"trafficRouting", "steps"}


def test_routes_pass_through_when_the_router_knows_them() -> None:
    routed = Making("shop", "web", "", service="web")
    header, mirror = {"name": "try", "match": [{"headerName": "x"}]}, {"name": "try", "percentage": 5}
    section = {"trafficRouting": ROUTING, "steps": [{"headerRoute": header}, {"mirrorRoute": mirror}]}
    assert written(section, routed).strategy["canary"]["steps"] == [
        {"setHeaderRoute": header},
        {"setMirrorRoute": mirror},
    ]
    assert "trafficRouting" in refusal({"steps": [{"headerRoute": header}]})
    assert "managedRoutes" in refusal({**section, "steps": [{"mirrorRoute": {"name": "other"}}]}, routed)
    assert "istio, plugins" in refusal(
        {"trafficRouting": {"nginx": {}, "managedRoutes": [{"name": "try"}]}, "steps": [{"mirrorRoute": mirror}]},
        routed,
    )


def test_what_happens_in_git_is_not_argo_rollouts_business() -> None:
    text = json.dumps(written({"onFailure": "Revert", "inFlight": "Block", "progressDeadline": "10s"}).strategy)
    assert text == '{"canary": {"steps": []}}'
