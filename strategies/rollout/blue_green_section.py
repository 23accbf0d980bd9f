"""The blue/green switch of an Application as Argo Rollouts' `spec.strategy.blueGreen`."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from reconciler.model.outcome import Reason, Terminal
from reconciler.model.strategy import Analysis, BlueGreen
from reconciler.ports import Making, Written
from strategies.rollout.analysis import ask, told

WHERE = "spec.strategy.blueGreen"


def write(params: BlueGreen, making: Making) -> Written:
    """`spec.strategy` of the Rollout, and the AnalysisTemplates `web-before-1`, `web-after-1`, ... that it names.

    The active Service is `making.service`; the preview Service is named here and made by who knows the active one.
    Raises Terminal(INVALID_SPEC) for what the controller would refuse.
    """
    if not making.service:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{WHERE}.service is not given and the folder has no Service that selects the pods of {making.name}: "
            f"name the Service that users reach.",
        )
    preview = params.preview_service or f"{making.service}-preview"
    if preview == making.service:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"{WHERE}.previewService is the Service that users reach, {making.service}: name another one, or none "
            f"and {making.service}-preview is made.",
        )
    before, objects = _judged(params.before, "before", making)
    after, more = _judged(params.after, "after", making)
    section: dict[str, Any] = {
        "activeService": making.service,
        "previewService": preview,
        "autoPromotionEnabled": not params.approval,
        "scaleDownDelaySeconds": ceil(params.scale_down_delay),
    }
    if params.preview_replicas is not None:
        section["previewReplicaCount"] = params.preview_replicas
    if before:
        section["prePromotionAnalysis"] = before
    if after:
        section["postPromotionAnalysis"] = after
    return Written({"blueGreen": section}, (*objects, *more))


def _judged(
    analyses: Sequence[Analysis], when: str, making: Making
) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """The controller makes one AnalysisRun of all templates, in which no two metrics may share a name."""
    names: list[str] = []
    objects: list[dict[str, Any]] = []
    for place, analysis in enumerate(analyses):
        name = f"{making.name}-{when}-{place + 1}"
        named, needed = ask(analysis, name, f"{WHERE}.{when}[{place}]", making, metric=f"{when}-{place + 1}")
        names.append(named)
        objects += needed
    if not names:
        return {}, ()
    return {"templates": [{"templateName": name} for name in names], "args": told()}, tuple(objects)
