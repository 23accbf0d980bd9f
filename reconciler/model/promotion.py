"""The kind `Promotion`: the road of a version from one environment to the next, by pull requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from reconciler.model.promotion_status import (
    EnvironmentState,
    GateState,
    MergeVerdict,
    PastMerge,
    PromotionState,
    PromotionStatus,
)
from reconciler.model.pull_request import Review
from reconciler.model.resource import API_VERSION, Duration, Metadata, Name, Section
from reconciler.model.rule import matching, obeying, validations
from reconciler.model.strategy import InFlight, MergePolicy, PrometheusMetric

__all__ = [
    "AnalysisGate",
    "ApprovalsGate",
    "CarriedPath",
    "Carry",
    "EnvironmentState",
    "GateState",
    "MergeVerdict",
    "PastMerge",
    "Promotion",
    "PromotionEnvironment",
    "PromotionGate",
    "PromotionSpec",
    "PromotionState",
    "PromotionStatus",
    "Window",
]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone: write one of the IANA names, such as Europe/Berlin") from None
    return name


def _schedule(text: str) -> str:
    if len(text.split()) != 5:
        raise ValueError("must have the five fields of cron: minute, hour, day of month, month, day of week")
    return text


class Window(Section):
    """A time that begins by a schedule and lasts. Cron's rules: https://man7.org/linux/man-pages/man5/crontab.5.html."""

    start: Annotated[
        str,
        Field(min_length=9, max_length=128, description="When it begins, as in cron: `0 9 * * 1-5`."),
        AfterValidator(_schedule),
    ]
    duration: Annotated[Duration, Field(description="How long it lasts.")]
    time_zone: Annotated[
        str,
        Field(min_length=1, max_length=64, description="An IANA name, such as Europe/Berlin."),
        AfterValidator(_zone),
    ] = "UTC"
    reason: Annotated[str, Field(max_length=256, description="Why, for those who wait.")] = ""


_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
TeamName = Annotated[
    str,
    Field(max_length=255),
    matching(
        rf"^{_PART}(/{_PART})*$",
        "must be `organization/team`, or at GitLab the full path of a group; no `@`, no spaces, no slash at an end",
    ),
]
"""A team of a forge, by the name that it has in its address."""


class ApprovalsGate(Section):
    """Reviews of the pull request: of the commit that would be merged, by people who may write to the repository."""

    count: Annotated[int, Field(ge=1, le=20, description="How many must approve.")] = 1
    from_: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=128)], ...],
        Field(
            alias="from",
            max_length=64,
            description="Users of the forge whose word counts; all reviewers when neither these nor teams are named.",
        ),
    ] = ()
    teams: Annotated[
        tuple[TeamName, ...],
        Field(
            max_length=16,
            description="Teams of the forge whose members' word counts, too: `organization/team`; at GitLab the full "
            "path of a group.",
        ),
    ] = ()

    @property
    def is_open_to_all(self) -> bool:
        """Whether the word of everybody counts who may write to the repository."""
        return not self.from_ and not self.teams

    def needs_teams(self, spoken: Iterable[Review]) -> bool:
        """Whether somebody has spoken of whom only the teams tell whether it counts. `spoken` are last words."""
        given = (each for each in spoken if each.official and each.state != "dismissed")
        return bool(self.teams) and any(each.user not in self.from_ for each in given)


_PLAIN_QUERY = "holds `{{`: a promotion has no pods of its own to fill in, write a query that is whole"
_PLAIN_ADDRESS = "must be a URL without a user: http://prometheus:9090"


class AnalysisGate(Section):
    """A number of the environment before that must keep its bound when the merge is done. It is measured anew at each
    look: a time to look back over belongs into the query (`[10m]`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                *validations("!self.prometheus.query.contains('{{')", _PLAIN_QUERY)["x-kubernetes-validations"],
                *validations(
                    "!has(self.prometheus.address) || self.prometheus.address.matches('^https?://[^@]+$')",
                    _PLAIN_ADDRESS,
                )["x-kubernetes-validations"],
            ]
        }
    )

    prometheus: Annotated[PrometheusMetric, Field(description="What is asked, and the bound.")]

    @model_validator(mode="after")
    def _whole(self) -> AnalysisGate:
        address = self.prometheus.address
        if "{{" in self.prometheus.query:
            raise ValueError(_PLAIN_QUERY)
        if address is not None and (not address.startswith(("http://", "https://")) or "@" in address):
            raise ValueError(_PLAIN_ADDRESS)
        return self


_GATES = ("healthy_for", "approvals", "checks", "analysis", "window", "freeze", "hold")
_ONE_GATE = "needs exactly one of `healthyFor`, `approvals`, `checks`, `analysis`, `window`, `freeze` and `hold`"


class PromotionGate(Section):
    """One thing that must hold before a merge; exactly one of the fields. What cannot be told is closed."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            "[has(self.healthyFor), has(self.approvals), has(self.checks), has(self.analysis), has(self.window), "
            "has(self.freeze), has(self.hold)]"
            ".filter(given, given).size() == 1",
            _ONE_GATE,
        )
    )

    healthy_for: Annotated[
        Duration | None, Field(description="The environment before has been Ready with the version for so long.")
    ] = None
    approvals: Annotated[ApprovalsGate | None, Field(description="People have approved the pull request.")] = None
    checks: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] | None,
        Field(min_length=1, max_length=32, description="Commit statuses that must be success: `ci/build`."),
    ] = None
    analysis: Annotated[AnalysisGate | None, Field(description="A metric says that it is well.")] = None
    window: Annotated[Window | None, Field(description="Open in this time only.")] = None
    freeze: Annotated[Window | None, Field(description="Closed in this time.")] = None
    hold: Annotated[bool | None, Field(description="Closed as long as it is true: the line is stopped by hand.")] = None

    @model_validator(mode="after")
    def _one(self) -> PromotionGate:
        if sum(getattr(self, name) is not None for name in _GATES) != 1:
            raise ValueError(_ONE_GATE)
        return self


_SEGMENT = r"([^/.][^/]*|\.[^/.][^/]*)"
CarriedPath = Annotated[
    str,
    Field(max_length=512),
    matching(rf"^{_SEGMENT}(/{_SEGMENT})*$", "must be a path below the folder, without `..` and a leading slash"),
]
"""A file or a folder, relative to the folder of an Application."""


class Carry(Section):
    """What goes from one environment to the next."""

    images: Annotated[bool, Field(description="The images that both of them run.")] = True
    paths: Annotated[
        tuple[CarriedPath, ...],
        Field(max_length=32, description="Files that both folders have, or shall have, relative to them."),
    ] = ()
    older: Annotated[
        bool,
        Field(
            description="Images that are older than what the environment runs, too. By SemVer; others have no order."
        ),
    ] = False


_ONE_OR_SEVERAL = (
    "needs exactly one of `application` (one Application) and `applications` (several, which go as one release)"
)


class PromotionEnvironment(Section):
    """One environment. The first one is where versions come from; the others get them from the one before."""

    model_config = ConfigDict(
        json_schema_extra=validations("has(self.application) != has(self.applications)", _ONE_OR_SEVERAL)
    )

    name: Annotated[Name, Field(description="As people call it.")]
    application: Annotated[Name | None, Field(description="The Application that is it, in the same namespace.")] = None
    applications: Annotated[
        tuple[Name, ...] | None,
        Field(
            min_length=1,
            max_length=16,
            description="Instead of `application`: several, which go as one release, all of it or nothing. Each "
            "follows the one at its place in the environment before.",
        ),
    ] = None
    carry: Carry = Carry()
    gates: Annotated[tuple[PromotionGate, ...], Field(max_length=8, description="What must hold before a merge.")] = ()
    merge: Annotated[MergePolicy, Field(description="Who merges once all gates are open.")] = MergePolicy.MANUAL
    in_flight: Annotated[
        InFlight, Field(description="What a newer version does to an open pull request of an older one.")
    ] = InFlight.SUPERSEDE

    @property
    def members(self) -> tuple[str, ...]:
        """The Applications that it is, one or several."""
        return self.applications or tuple(filter(None, (self.application,)))

    @model_validator(mode="after")
    def _one_or_several(self) -> PromotionEnvironment:
        if (self.application is None) == (self.applications is None):
            raise ValueError(_ONE_OR_SEVERAL)
        return self


def _twice(environments: tuple[PromotionEnvironment, ...]) -> tuple[PromotionEnvironment, ...]:
    names = [each.name for each in environments]
    applications = [name for each in environments for name in each.members]
    for what, given in (("name", names), ("application", applications)):
        if twice := sorted({one for one in given if given.count(one) > 1}):
            raise ValueError(f"names the {what} {', '.join(twice)} twice")
    return environments


_IN_PAIRS = (
    "each must name as many applications as the first one: they go from one to the next in pairs, by their places in "
    "`applications`"
)
_PAIRED = obeying(
    "self.all(one, (has(one.applications) ? one.applications.size() : 1) == "
    "(has(self[0].applications) ? self[0].applications.size() : 1))",
    _IN_PAIRS,
    lambda environments: len({len(each.members) for each in environments}) == 1,
)


class PromotionSpec(Section):
    """The environments in their order."""

    environments: Annotated[
        tuple[PromotionEnvironment, ...],
        Field(min_length=2, max_length=8, description="From the first to the last."),
        _PAIRED,
        AfterValidator(_twice),
    ]


class Promotion(Section):
    """The road of a version from one environment to the next, by pull requests."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["Promotion"] = "Promotion"
    metadata: Metadata
    spec: PromotionSpec
    status: PromotionStatus = PromotionStatus()
