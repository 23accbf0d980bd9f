"""The kind `PromotionAction`: what one person asks of a promotion.

It is an object of its own so that Kubernetes decides who may ask: the right to go round a gate is the right to create
one, and being allowed to write the Promotion is not needed for it. A policy of the API server (core/approving.py) holds
`spec.by` to the name of the user who creates it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from reconciler.model.resource import API_VERSION, Metadata, Name, Record, Section
from reconciler.model.rule import validations

_ONCE = "cannot be changed: create another PromotionAction"


class PromotionWish(StrEnum):
    """What may be asked."""

    AGAIN = "Again"
    ACCEPT = "Accept"


class PromotionActionSpec(Section):
    """What is asked, for which environment, and by whom. It cannot be changed."""

    model_config = ConfigDict(json_schema_extra=validations("self == oldSelf", _ONCE))

    promotion: Annotated[Name, Field(description="A Promotion in the same namespace.")]
    environment: Annotated[Name, Field(description="One of its environments.")]
    action: Annotated[
        PromotionWish,
        Field(
            description="`Again` proposes once more what was closed or taken out again, `Accept` lets an unreviewed "
            "change go further."
        ),
    ]
    version: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="What it is about, as the status names it: `again` for Again, `merged.commit` for Accept.",
        ),
    ]
    by: Annotated[
        str,
        Field(min_length=1, max_length=1024, description="Who asks: the name by which the API server knows the user."),
    ]
    reason: Annotated[str | None, Field(max_length=1024, description="Why, for those who look later.")] = None


class PromotionActionStatus(Record):
    """Nothing: what has come of it is in the status of the Promotion."""


class PromotionAction(Section):
    """What one person asks of a promotion: a version once more, or that an unreviewed change goes on."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["PromotionAction"] = "PromotionAction"
    metadata: Metadata
    spec: PromotionActionSpec
    status: PromotionActionStatus = PromotionActionStatus()
