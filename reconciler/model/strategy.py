"""How a new version takes over from the one that runs: `spec.strategy` of an Application."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from reconciler.model.resource import AT_LEAST_A_SECOND, Duration, Name, Section
from reconciler.model.rule import matching, validations


class InFlight(StrEnum):
    """What happens to a revision that comes while another one is being walked out. `Queue` takes it up when that one
    has been promoted or aborted, `Supersede` at once, `Block` only when somebody asks (`dispatch sync`) or a newer one
    comes. A way back to what ran before is never held up.
    """

    QUEUE = "Queue"
    SUPERSEDE = "Supersede"
    BLOCK = "Block"


class OnFailure(StrEnum):
    """`Revert` undoes in Git what failed, and keeps the version from coming back; `Hold` leaves both to a person."""

    REVERT = "Revert"
    HOLD = "Hold"


class MergePolicy(StrEnum):
    """Who merges a pull request of Dispatch's own: Dispatch as soon as the forge lets it, or a person."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


def _one_of(section: Section, names: tuple[str, ...], words: str) -> None:
    if sum(getattr(section, name) is not None for name in names) != 1:
        raise ValueError(words)


def _exactly_one(*names: str, words: str) -> dict[str, Any]:
    given = ", ".join(f"has(self.{name})" for name in names)
    return validations(f"[{given}].filter(given, given).size() == 1", words)


Number = Annotated[str, Field(max_length=32), matching(r"^-?[0-9]+(\.[0-9]+)?$", "must be a number in quotes")]
"""A threshold: text, because Kubernetes advises against floats in an API."""

_THRESHOLD = "needs `max` or `min`: the bound that the result must keep"


class Threshold(Section):
    """The bound that a number must keep. No number (no traffic, NaN) is neither good nor bad: the step waits."""

    max: Annotated[Number | None, Field(description="The result must be at most this.")] = None
    min: Annotated[Number | None, Field(description="The result must be at least this.")] = None


class PrometheusMetric(Threshold):
    """A query that gives one number. `{{args.hash}}` is the hash of the new pods, `{{args.stable}}` that of the old."""

    model_config = ConfigDict(json_schema_extra=validations("has(self.max) || has(self.min)", _THRESHOLD))

    address: Annotated[
        str | None, Field(max_length=1024, description="http://prometheus:9090; the operator's own when not given.")
    ] = None
    query: Annotated[str, Field(min_length=1, max_length=8192, description="PromQL with one number as its result.")]

    @model_validator(mode="after")
    def _bound(self) -> PrometheusMetric:
        if self.max is None and self.min is None:
            raise ValueError(_THRESHOLD)
        return self


class WebMetric(Threshold):
    """A URL whose JSON answer is judged: a number against a bound, or a text against the one that is good."""

    model_config = ConfigDict(
        json_schema_extra=_exactly_one("max", "min", "equals", words="needs one of `max`, `min` and `equals`")
    )

    url: Annotated[str, Field(min_length=1, max_length=2048, description="Answers 200 with JSON.")]
    json_path: Annotated[str, Field(max_length=1024, description="Where the value is: `{$.errors}`.")] = "{$}"
    equals: Annotated[str | None, Field(max_length=1024, description="The text that is good; any other is bad.")] = None

    @model_validator(mode="after")
    def _bound(self) -> WebMetric:
        _one_of(self, ("max", "min", "equals"), "needs one of `max`, `min` and `equals`")
        return self


class JobMetric(Section):
    """A Job that succeeds when the version is good."""

    spec: Annotated[dict[str, Any], Field(description="The spec of the Job (batch/v1).")]


class Analysis(Section):
    """One question to a metric, asked some times. `template` names an AnalysisTemplate of the folder or the cluster."""

    model_config = ConfigDict(
        json_schema_extra=_exactly_one(
            "prometheus", "web", "job", "template", words="needs one of `prometheus`, `web`, `job` and `template`"
        )
    )

    prometheus: PrometheusMetric | None = None
    web: WebMetric | None = None
    job: JobMetric | None = None
    template: Annotated[Name | None, Field(description="An AnalysisTemplate that is there.")] = None
    interval: Annotated[Duration, AT_LEAST_A_SECOND, Field(description="Between two measurements.")] = 30.0
    count: Annotated[int, Field(ge=1, le=100000, description="How many good ones in a row pass.")] = 1
    failure_limit: Annotated[int, Field(ge=0, le=100000, description="How many bad ones may come before.")] = 0

    @model_validator(mode="after")
    def _one_source(self) -> Analysis:
        _one_of(
            self, ("prometheus", "web", "job", "template"), "needs one of `prometheus`, `web`, `job` and `template`"
        )
        return self


class Pause(Section):
    """Wait for a time; without one, until somebody approves (`dispatch rollout promote`)."""

    duration: Annotated[Duration | None, AT_LEAST_A_SECOND, Field(description="How long.")] = None


class HealthyGate(Section):
    """Passes once other Applications of the namespace have been Ready for a time."""

    applications: Annotated[
        tuple[Name, ...], Field(min_length=1, max_length=64, description="Which Applications must be Ready.")
    ]
    duration: Annotated[Duration, Field(description="For how long without a break.")] = 0.0


class Gate(Section):
    """A question that Dispatch answers to Argo Rollouts: pass, wait or fail, bound to the version. All that is given
    must hold. While Dispatch does not answer the step waits: it never passes and never fails.
    """

    approval: Annotated[bool, Field(description="Somebody must approve this step (`dispatch rollout promote`).")] = (
        False
    )
    healthy: Annotated[HealthyGate | None, Field(description="Other Applications must be Ready.")] = None
    interval: Annotated[Duration, AT_LEAST_A_SECOND, Field(description="How often Argo Rollouts asks.")] = 10.0


_STEP = ("weight", "pause", "analysis", "gate", "header_route", "mirror_route")
_STEP_WORDS = "needs exactly one of `weight`, `pause`, `analysis`, `gate`, `headerRoute` and `mirrorRoute`"


class CanaryStep(Section):
    """One step; exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=_exactly_one(
            "weight", "pause", "analysis", "gate", "headerRoute", "mirrorRoute", words=_STEP_WORDS
        )
    )

    weight: Annotated[int | None, Field(ge=0, le=100, description="Percent for the new version.")] = None
    pause: Annotated[Pause | None, Field(description="Wait for a time, or until approved.")] = None
    analysis: Annotated[Analysis | None, Field(description="Judge the new version.")] = None
    gate: Annotated[Gate | None, Field(description="Ask Dispatch.")] = None
    header_route: Annotated[
        dict[str, Any] | None, Field(description="Argo Rollouts' setHeaderRoute; needs trafficRouting.")
    ] = None
    mirror_route: Annotated[
        dict[str, Any] | None, Field(description="Argo Rollouts' setMirrorRoute; needs trafficRouting.")
    ] = None

    @model_validator(mode="after")
    def _one_step(self) -> CanaryStep:
        _one_of(self, _STEP, _STEP_WORDS)
        return self


class Progressive(Section):
    """What both ways of walking a version out have in common."""

    on_failure: Annotated[OnFailure, Field(description="What happens in Git when a version was aborted.")] = (
        OnFailure.HOLD
    )
    revert_merge: Annotated[
        MergePolicy, Field(description="Who merges the pull request of a revert, where a forge is set.")
    ] = MergePolicy.AUTOMATIC
    in_flight: Annotated[InFlight, Field(description="What a newer revision does to a running one.")] = InFlight.QUEUE
    progress_deadline: Annotated[
        Duration, AT_LEAST_A_SECOND, Field(description="Aborted when no pod gets ready for so long.")
    ] = 600.0
    inconclusive_deadline: Annotated[
        Duration, AT_LEAST_A_SECOND, Field(description="Aborted when nobody decides about an inconclusive analysis.")
    ] = 1800.0
    rollback_window: Annotated[
        int | None,
        Field(ge=0, le=100, description="A way back to one of so many last versions skips the steps. None does not."),
    ] = None


class Canary(Progressive):
    """A share of the pods (or of the traffic) first, then more. Without steps, those of the folder's own Rollout."""

    steps: Annotated[
        tuple[CanaryStep, ...], Field(max_length=64, description="What happens, one after the other.")
    ] = ()
    max_surge: Annotated[str | None, Field(max_length=8, description="Pods over the wanted number; 25%.")] = None
    max_unavailable: Annotated[str | None, Field(max_length=8, description="Pods that may be missing; 25%.")] = None
    traffic_routing: Annotated[dict[str, Any] | None, Field(description="Argo Rollouts' trafficRouting, as it is.")] = (
        None
    )


class BlueGreen(Progressive):
    """The new version beside the old one, then all traffic at once."""

    service: Annotated[
        Name | None, Field(description="The Service that users reach; the one that selects the pods when not given.")
    ] = None
    preview_service: Annotated[
        Name | None, Field(description="The Service of the new version; `<service>-preview` is made when not given.")
    ] = None
    preview_replicas: Annotated[
        int | None, Field(ge=1, le=100000, description="Pods of the new version before the switch; all of them.")
    ] = None
    approval: Annotated[bool, Field(description="Somebody must approve the switch (`dispatch rollout promote`).")] = (
        False
    )
    before: Annotated[tuple[Analysis, ...], Field(max_length=16, description="Judged before the switch.")] = ()
    after: Annotated[
        tuple[Analysis, ...], Field(max_length=16, description="Judged after it; switches back when bad.")
    ] = ()
    scale_down_delay: Annotated[Duration, Field(description="How long the old version stays after the switch.")] = 30.0


class Rolling(Section):
    """What Kubernetes itself does: pods are replaced a few at a time, nothing is judged."""


_ONE_STRATEGY = "names more than one strategy: keep one of `rolling`, `canary` and `blueGreen`"


class Strategy(Section):
    """At most one may be given; `rolling` when none is."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            "[has(self.rolling), has(self.canary), has(self.blueGreen)].filter(given, given).size() <= 1", _ONE_STRATEGY
        )
    )

    rolling: Rolling | None = None
    canary: Canary | None = None
    blue_green: BlueGreen | None = None

    @model_validator(mode="after")
    def _one_strategy(self) -> Strategy:
        if sum(way is not None for way in (self.rolling, self.canary, self.blue_green)) > 1:
            raise ValueError(_ONE_STRATEGY)
        return self

    @property
    def progressive(self) -> Canary | BlueGreen | None:
        """The section of a strategy that walks versions out; None for rolling."""
        return self.canary or self.blue_green
