"""Questions to a metric as Argo Rollouts asks them: AnalysisTemplates, and the gates that Dispatch answers.

An AnalysisTemplate is named after its place (`web-step-2`), never after what it asks: the steps of a Rollout name it,
and a change of the steps starts a running canary again (argo-rollouts, utils/replicaset/replicaset.go
PodTemplateOrStepsChanged), which a change of a threshold must not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import ceil
from typing import Any

from reconciler.model.outcome import Reason, Terminal
from reconciler.model.resource import format_duration
from reconciler.model.strategy import Analysis, Gate, JobMetric, PrometheusMetric, Threshold, WebMetric
from reconciler.ports import Making

ENDLESS = 2147483647
"""The highest count and limit that Argo Rollouts takes. It refuses a step whose metric has no count."""

_PATIENCE = 300.0
_FEWEST = 10
_RETRY = 10.0
"""Seconds after which Argo Rollouts asks again when it got no answer (DefaultErrorRetryInterval)."""
_PLACEHOLDER = re.compile(r"\{\{(.*?)(\}\}|$)", re.DOTALL)
_SCALAR = re.compile(r"\s*(scalar\s*\(|[-+0-9.]+\s*$|time\s*\(\s*\)\s*$|pi\s*\(\s*\)\s*$)")


def told() -> list[dict[str, Any]]:
    """What every analysis is told: which pods are the new ones, and which the old. Arguments that a template does not
    declare are dropped by the controller (MergeArgs in utils/analysis/helpers.go).
    """
    return [
        {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": "stable", "valueFrom": {"podTemplateHashValue": "Stable"}},
    ]


def ask(
    analysis: Analysis, name: str, where: str, making: Making, metric: str = "question"
) -> tuple[str, tuple[dict[str, Any], ...]]:
    """The name of the AnalysisTemplate that asks, and the objects to be made for it: none for one that is there.

    `where` is the path of the analysis in the Application, for errors; `metric` the name that the measurements have.
    Raises Terminal(INVALID_SPEC).
    """
    if analysis.template is not None:
        return analysis.template, ()
    asked = _metric(analysis, where, making)
    _check_placeholders(asked, where)
    return name, (template(name, making.namespace, ("hash", "stable"), {"name": metric, **asked}),)


def template(name: str, namespace: str, args: tuple[str, ...], metric: Mapping[str, Any]) -> dict[str, Any]:
    """An AnalysisTemplate with one metric; each of `args` must be given by who uses it."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"args": [{"name": arg} for arg in args], "metrics": [dict(metric)]},
    }


def gate(gate: Gate, name: str, where: str, making: Making) -> dict[str, Any]:
    """The AnalysisTemplate that asks Dispatch. Its answer is one of three: neither condition true means wait.

    Both limits are raised, so that a Dispatch that does not answer means wait, too: Argo Rollouts' own would abort
    after five errors, and pause for good after the first answer that is neither.
    """
    if not making.gates:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{where}: Argo Rollouts cannot ask this Dispatch, which serves no gates: start it with --listen (and with "
            f"--gates-url where that is not its address for others), or use a `pause` without a duration.",
        )
    address = (
        f"{making.gates.rstrip('/')}/{{{{args.namespace}}}}/{{{{args.rollout}}}}/{{{{args.hash}}}}/{{{{args.step}}}}"
    )
    metric = {
        "name": "gate",
        "interval": format_duration(gate.interval),
        "count": ENDLESS,
        "successCondition": 'result == "pass"',
        "failureCondition": 'result == "fail"',
        "consecutiveSuccessLimit": 1,
        "failureLimit": 0,
        "inconclusiveLimit": ENDLESS,
        "consecutiveErrorLimit": ENDLESS,
        "provider": {"web": {"url": address, "jsonPath": "{$.verdict}"}},
    }
    return template(name, making.namespace, ("namespace", "rollout", "step", "hash"), metric)


def gate_args(step: int, making: Making) -> list[dict[str, Any]]:
    """What the step tells the gate. `step` counts from 0, as `status.currentStepIndex` does."""
    return [
        {"name": "namespace", "value": making.namespace},
        {"name": "rollout", "value": making.name},
        {"name": "step", "value": str(step)},
        {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
    ]


def _metric(analysis: Analysis, where: str, making: Making) -> dict[str, Any]:
    if analysis.job is not None:
        return _job(analysis, analysis.job)
    if analysis.prometheus is not None:
        judged = _prometheus(analysis.prometheus, f"{where}.prometheus", making)
    else:
        assert analysis.web is not None  # the model lets nothing else through
        judged = _web(analysis.web)
    return {**_asked_in_a_row(analysis), **judged}


def _asked_in_a_row(analysis: Analysis) -> dict[str, Any]:
    """`count` good answers in a row pass. An answer that is neither good nor bad (no traffic yet) is asked for again,
    for at least ten measurements and five minutes; then a person must decide. A metric that does not answer is asked
    for five minutes, too: Argo Rollouts' own limit would abort a good version after 45 seconds without Prometheus.

    With Argo Rollouts' own `count`, measurements without a number would either stop the canary at the first one or,
    with a limit raised, count towards the pass (analysis/analysis.go assessMetricStatus).
    """
    return {
        "interval": format_duration(analysis.interval),
        "count": ENDLESS,
        "consecutiveSuccessLimit": analysis.count,
        "failureLimit": analysis.failure_limit,
        "inconclusiveLimit": max(_FEWEST, ceil(_PATIENCE / analysis.interval)),
        "consecutiveErrorLimit": ceil(_PATIENCE / _RETRY),
    }


def _prometheus(metric: PrometheusMetric, where: str, making: Making) -> dict[str, Any]:
    """The answer is a vector: every number in it must keep the bound. NaN compares as false with everything."""
    address = metric.address or making.prometheus
    if not address:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{where}.address is not given and this Dispatch knows no Prometheus of its own: give the address here, or "
            f"start Dispatch with --prometheus URL.",
        )
    if not address.startswith(("http://", "https://")):
        raise Terminal(
            Reason.INVALID_SPEC, f"{where}.address is {address!r}: write a URL, such as http://prometheus:9090."
        )
    if _SCALAR.match(metric.query):
        raise Terminal(
            Reason.INVALID_SPEC, f"{where}.query gives a scalar, not a vector: write `vector({metric.query.strip()})`."
        )
    return {
        "successCondition": f"len(result) > 0 && all(result, {{{_within(metric, '#')}}})",
        "failureCondition": f"any(result, {{{_beyond(metric, '#')}}})",
        "provider": {"prometheus": {"address": address, "query": metric.query}},
    }


def _web(metric: WebMetric) -> dict[str, Any]:
    if metric.equals is not None:
        good = json.dumps(metric.equals, ensure_ascii=False)
        success, failure = f"!isNil(result) && string(result) == {good}", f"isNil(result) || string(result) != {good}"
    else:
        success = f"!isNil(result) && {_within(metric, 'asFloat(result)')}"
        failure = f"!isNil(result) && ({_beyond(metric, 'asFloat(result)')})"
    return {
        "successCondition": success,
        "failureCondition": failure,
        "provider": {"web": {"url": metric.url, "jsonPath": metric.json_path}},
    }


def _job(analysis: Analysis, metric: JobMetric) -> dict[str, Any]:
    """A Job ends well or badly, so its runs are counted as Argo Rollouts does."""
    repeated = {"interval": format_duration(analysis.interval)} if analysis.count > 1 else {}
    return {
        **repeated,
        "count": analysis.count,
        "failureLimit": min(analysis.failure_limit, analysis.count),
        "provider": {"job": {"spec": dict(metric.spec)}},
    }


def _within(bound: Threshold, value: str) -> str:
    kept = [(">=", bound.min), ("<=", bound.max)]
    return " && ".join(f"{value} {sign} {_number(limit)}" for sign, limit in kept if limit is not None)


def _beyond(bound: Threshold, value: str) -> str:
    broken = [("<", bound.min), (">", bound.max)]
    return " || ".join(f"{value} {sign} {_number(limit)}" for sign, limit in broken if limit is not None)


def _number(text: str) -> str:
    """As a float of the expression language: a long integer, or one with zeros in front, would be no number there."""
    plain = f"{Decimal(text):f}"
    return plain if "." in plain else f"{plain}.0"


def _check_placeholders(value: Any, where: str) -> None:
    """One that the controller cannot fill makes the whole Rollout invalid, in words that name no field."""
    for text in _texts(value):
        for found in _PLACEHOLDER.finditer(text):
            if found[2] != "}}" or found[1].strip() not in ("args.hash", "args.stable"):
                raise Terminal(
                    Reason.INVALID_SPEC,
                    f"{where} holds {found[0]!r}: only `{{{{args.hash}}}}` (the new pods) and `{{{{args.stable}}}}` "
                    f"(the old ones) can be filled in.",
                )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
