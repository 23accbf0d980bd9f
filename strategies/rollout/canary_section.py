"""The canary of an Application as Argo Rollouts' `spec.strategy.canary`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from reconciler.model.outcome import Reason, Terminal
from reconciler.model.resource import format_duration
from reconciler.model.strategy import Canary, CanaryStep, Pause
from reconciler.ports import Making, Written
from strategies.rollout.analysis import ask, gate, gate_args, told

WHERE = "spec.strategy.canary"
_SHARE = re.compile(r"[0-9]+%?")
_HEADER_ROUTERS = ("istio", "alb", "apisix", "plugins")
_MIRROR_ROUTERS = ("istio", "plugins")


def write(params: Canary, making: Making) -> Written:
    """`spec.strategy` of the Rollout, and the AnalysisTemplates that its steps name, by their place: `web-step-2` is
    that of the second step. What a step asks is not in the steps: a new threshold restarts no canary.

    With `trafficRouting` the Services are `making.service` and, for the new version, `<service>-canary`; a router that
    tells versions apart by itself (Istio with a DestinationRule) gets none. Raises Terminal(INVALID_SPEC) for what the
    controller would refuse.
    """
    steps: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    for place, step in enumerate(params.steps):
        written, needed = _step(params, step, place, making)
        steps.append(written)
        objects += needed
    canary: dict[str, Any] = {**_surge(params), **_traffic(params, making), "steps": steps}
    return Written({"canary": canary}, tuple(objects))


def _step(
    params: Canary, step: CanaryStep, place: int, making: Making
) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    where, name = f"{WHERE}.steps[{place}]", f"{making.name}-step-{place + 1}"
    if step.weight is not None:
        return {"setWeight": step.weight}, ()
    if step.pause is not None:
        return {"pause": _pause(step.pause)}, ()
    if step.analysis is not None:
        named, objects = ask(step.analysis, name, f"{where}.analysis", making)
        return {"analysis": {"templates": [{"templateName": named}], "args": told()}}, objects
    if step.gate is not None:
        asked = {"templates": [{"templateName": name}], "args": gate_args(place, making)}
        return {"analysis": asked}, (gate(step.gate, name, f"{where}.gate", making),)
    if step.header_route is not None:
        _check_route(params, step.header_route, f"{where}.headerRoute", _HEADER_ROUTERS)
        return {"setHeaderRoute": dict(step.header_route)}, ()
    assert step.mirror_route is not None  # the model lets nothing else through
    _check_route(params, step.mirror_route, f"{where}.mirrorRoute", _MIRROR_ROUTERS)
    return {"setMirrorRoute": dict(step.mirror_route)}, ()


def _pause(pause: Pause) -> dict[str, Any]:
    """Argo Rollouts counts in whole seconds and cuts the rest off."""
    return {} if pause.duration is None else {"duration": format_duration(ceil(pause.duration))}


def _surge(params: Canary) -> dict[str, Any]:
    given = {
        name: _count(text, f"{WHERE}.{name}")
        for name, text in (("maxSurge", params.max_surge), ("maxUnavailable", params.max_unavailable))
        if text is not None
    }
    if given and all(str(value).rstrip("%").strip("0") == "" for value in given.values()) and len(given) == 2:
        raise Terminal(
            Reason.INVALID_SPEC, f"{WHERE}: maxSurge and maxUnavailable are both 0: no pod could ever be replaced."
        )
    return given


def _count(text: str, where: str) -> int | str:
    """`25%` as it is, `2` as a number: Argo Rollouts takes no number in quotes."""
    if not _SHARE.fullmatch(text):
        raise Terminal(
            Reason.INVALID_SPEC, f"{where} is {text!r}: write a number of pods, such as 2, or a share, such as 25%."
        )
    return text if text.endswith("%") else int(text)


def _traffic(params: Canary, making: Making) -> dict[str, Any]:
    routing = params.traffic_routing
    if routing is None:
        return {}
    istio = routing.get("istio")
    if isinstance(istio, Mapping) and istio.get("destinationRule"):
        return {"trafficRouting": dict(routing)}
    if not making.service:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{WHERE}.trafficRouting needs the Service that users reach, and the folder has none, or several, that "
            f"select the pods of {making.name}: put exactly one into the folder.",
        )
    services = {"stableService": making.service, "canaryService": f"{making.service}-canary"}
    return {**services, "trafficRouting": dict(routing)}


def _check_route(params: Canary, route: Mapping[str, Any], where: str, routers: tuple[str, ...]) -> None:
    """The controller's own rules (pkg/apis/rollouts/validation/validation.go), in words that name the field."""
    routing = params.traffic_routing or {}
    if not any(routing.get(router) for router in routers):
        raise Terminal(Reason.INVALID_SPEC, f"{where} needs {WHERE}.trafficRouting with one of {', '.join(routers)}.")
    managed = [each.get("name") for each in routing.get("managedRoutes") or () if isinstance(each, Mapping)]
    if route.get("name") not in managed:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{where}.name is {route.get('name')!r}, which {WHERE}.trafficRouting.managedRoutes does not list: "
            f"add it there.",
        )
