"""The kind `Hotfix`: an image that goes straight into one environment of a promotion, for a reason and for a time.

It is an object of its own so that Kubernetes decides who may: the right to create one is the right to pass the
environments before. A policy of the API server (core/approving.py) holds `spec.by` to the name of who creates it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from reconciler.model.image import REFERENCE_PATTERN
from reconciler.model.promotion import EnvironmentState
from reconciler.model.resource import (
    API_VERSION,
    AT_LEAST_A_SECOND,
    AT_MOST_A_WEEK,
    Conditions,
    Duration,
    Metadata,
    Name,
    Record,
    Section,
)
from reconciler.model.rule import matching, validations

_ONCE = "cannot be changed: create another Hotfix"

ImageReference = Annotated[
    str,
    Field(max_length=512),
    matching(REFERENCE_PATTERN, "must be an image with its tag or its digest: registry.example.com/team/shop:1.4.1"),
]


class TimeGate(StrEnum):
    """A gate on the time, which a hotfix may be told not to wait for."""

    WINDOW = "window"
    FREEZE = "freeze"


class HotfixSpec(Section):
    """What is to go where, why, and for how long it may. It cannot be changed."""

    model_config = ConfigDict(json_schema_extra=validations("self == oldSelf", _ONCE))

    promotion: Annotated[Name, Field(description="A Promotion in the same namespace.")]
    environment: Annotated[Name, Field(description="One of its environments, but the first.")]
    images: Annotated[
        tuple[ImageReference, ...],
        Field(min_length=1, max_length=16, description="What the environment shall run in the place of its versions."),
    ]
    reason: Annotated[
        str, Field(min_length=1, max_length=1024, description="Why it cannot go through the environments before.")
    ]
    expires_after: Annotated[
        Duration,
        AT_LEAST_A_SECOND,
        AT_MOST_A_WEEK,
        Field(description="How long after its creation it may be merged."),
    ] = 4 * 3600.0
    skip: Annotated[
        tuple[TimeGate, ...],
        Field(max_length=2, description="Gates on the time that it does not wait for: `window`, `freeze`."),
    ] = ()
    by: Annotated[
        str,
        Field(min_length=1, max_length=1024, description="Who asks: the name by which the API server knows the user."),
    ]


class HotfixStatus(Record):
    """Where it is on its way in, and on its way back to the environments before."""

    observed_generation: Annotated[int, Field(description="The generation of the spec that this is about.")] = 0
    conditions: Conditions = ()
    expires: Annotated[datetime | None, Field(description="Until when it may be merged.")] = None
    target: Annotated[EnvironmentState | None, Field(description="The environment that it goes to.")] = None
    behind: Annotated[
        tuple[str, ...],
        Field(description="What the environments before ran when it was merged. It may lack what was mended."),
    ] = ()
    back: Annotated[
        tuple[EnvironmentState, ...], Field(description="The environments before, to which it is carried back.")
    ] = ()


class Hotfix(Section):
    """An image that goes straight into one environment of a promotion, for a reason and for a time."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["Hotfix"] = "Hotfix"
    metadata: Metadata
    spec: HotfixSpec
    status: HotfixStatus = HotfixStatus()

    @property
    def expires(self) -> datetime:
        """The end of its time; one that was never created has none left."""
        created = self.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC)
        return created + timedelta(seconds=self.spec.expires_after)
