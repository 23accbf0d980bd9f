"""What all of Dispatch's own kinds share: group, version, metadata, conditions, durations."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

GROUP = "dispatch.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TERM = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
DURATION_PATTERN = r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"


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


def _seconds(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
"""A length of time: text such as `5m` outside, seconds inside."""

Name = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
"""An object's name: an RFC 1123 subdomain, as Kubernetes demands."""


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
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] = {}
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

    type: ConditionType
    status: str = Field(pattern="^(True|False|Unknown)$")
    reason: str
    message: str = ""
    observed_generation: int = 0
    last_transition_time: datetime
