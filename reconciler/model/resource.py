"""What all of Dispatch's own kinds share: group, version, metadata, conditions, durations."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic.alias_generators import to_camel

from reconciler.model.rule import Rule, matching, obeying

GROUP = "dispatch.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TERM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"


_DURATION_LENGTH = 32


def parse_duration(text: str) -> float:
    """Seconds of a duration as Go and Kubernetes write it (`1h30m`, `90s`, `500ms`), with `d` for 24 hours as well.

    Raises ValueError for anything else, an empty text and a number without a unit included.
    """
    if not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is not a duration: write a number with a unit, such as 30s, 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in _TERM.findall(text))


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back as `seconds`: 90.0 -> `1m30s`."""
    if seconds != int(seconds):
        return f"{round(seconds * 1000)}ms"
    rest, parts = int(seconds), []
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _seconds(value: Any, info: ValidationInfo) -> Any:
    """Documents give text; Python may give seconds."""
    if isinstance(value, str):
        if len(value) > _DURATION_LENGTH:
            raise ValueError(f"must be at most {_DURATION_LENGTH} characters")
        return parse_duration(value)
    if info.mode == "json":
        raise ValueError("must be text with a unit, such as 30s, 5m or 1h30m")
    return value


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "maxLength": _DURATION_LENGTH}),
]
"""A length of time: text such as `5m` outside, seconds inside."""

_CEL_SECONDS = (
    "self.findAll('[0-9.]+(ms|s|m|h|d)').map(t, "
    "t.endsWith('ms') ? double(t.replace('ms', '')) * 0.001 : "
    "t.endsWith('s') ? double(t.replace('s', '')) : "
    "t.endsWith('m') ? double(t.replace('m', '')) * 60.0 : "
    "t.endsWith('h') ? double(t.replace('h', '')) * 3600.0 : double(t.replace('d', '')) * 86400.0).sum()"
)

AT_LEAST_A_SECOND: Rule = obeying(f"{_CEL_SECONDS} >= 1.0", "must be 1s or longer", lambda seconds: seconds >= 1)
"""For a Duration. CEL's own `duration()` knows no days."""
AT_MOST_A_WEEK: Rule = obeying(
    f"{_CEL_SECONDS} <= 604800.0", "must be 7d or shorter", lambda seconds: seconds <= 604800
)

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN: Rule = matching(
    rf"^{_LABEL}(\.{_LABEL})*$",
    "must be lower case letters, digits, `-` and `.`, with a letter or a digit at both ends and beside each `.`",
)
DNS_LABEL: Rule = matching(
    rf"^{_LABEL}$", "must be lower case letters, digits and `-`, with a letter or a digit at both ends"
)

Name = Annotated[str, Field(min_length=1, max_length=253), SUBDOMAIN]
"""An object's name: an RFC 1123 subdomain, as Kubernetes demands."""

NamespaceName = Annotated[str, Field(min_length=1, max_length=63), DNS_LABEL]
"""A namespace's name: an RFC 1123 label."""

_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LabelValue = Annotated[
    str,
    matching(
        rf"^({_QUALIFIED})?$",
        "must be at most 63 letters, digits, `-`, `_` and `.`, with a letter or a digit at both ends",
    ),
]
LabelKey = Annotated[
    str,
    Field(max_length=317),
    matching(rf"^({_LABEL}(\.{_LABEL})*/)?{_QUALIFIED}$", "is no label name: write `name` or `example.com/name`"),
]

_NO_GIT_NAME = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[/-]|[/.]$|^@$|(^|/)\.|\.lock(/|$)"
GitRef = Annotated[
    str,
    Field(min_length=1, max_length=255),
    obeying(
        f"!self.matches(r'{_NO_GIT_NAME}')",
        "is no Git name: no spaces, no `..`, none of ~ ^ : ? * [ \\, no `-` or `/` in front",
        lambda name: re.search(_NO_GIT_NAME, name) is None,
    ),
]
"""A branch, a tag, a full ref or a commit (git-check-ref-format, rules 1 and 3 to 10)."""


class Section(BaseModel):
    """One map in a document: camelCase outside, snake_case inside; an unknown field is an error."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Record(BaseModel):
    """One map in a status: written by Dispatch, read leniently, for a newer Dispatch may have written more."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Metadata(BaseModel):
    """The part of an object's metadata that Dispatch reads; the rest is left to Kubernetes."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    name: Name
    namespace: NamespaceName = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    labels: dict[LabelKey, LabelValue] = {}
    annotations: dict[str, str] = {}
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()


class ConditionType(StrEnum):
    """The three conditions of kstatus: `Ready` is normal, `Reconciling` and `Stalled` are present only when true."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Condition(Record):
    """A `metav1.Condition`."""

    type: Annotated[ConditionType, Field(description="Which of the three conditions of kstatus this is.")]
    status: Annotated[str, matching("^(True|False|Unknown)$", "must be True, False or Unknown")] = Field(
        description="True, False or Unknown."
    )
    reason: Annotated[str, Field(description="Why, in one word for scripts.")]
    message: Annotated[str, Field(description="Why, in words for people.")] = ""
    observed_generation: Annotated[int, Field(description="The generation of the spec that this is about.")] = 0
    last_transition_time: Annotated[datetime, Field(description="When `status` last changed.")]


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        description="Ready, and Reconciling or Stalled while they are true (kstatus).",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]
"""The field `status.conditions` of every kind."""
