"""The kind `RolloutAction`: what one person asks of one version of one Rollout.

It is an object of its own so that Kubernetes decides who may ask: the right to approve is the right to create one. A
policy of the API server (core/installation.py) holds `spec.by` to the name of the user who creates it, so an approval
is never somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from reconciler.model.outcome import Reason, Terminal
from reconciler.model.resource import API_VERSION, Metadata, Name, Record, Section
from reconciler.model.rollout import Asked, Wish
from reconciler.model.rule import matching, validations

_ONCE = "cannot be changed: create another RolloutAction"
_NO_STEP = "only Promote is bound to a step: leave `step` out, or use Promote"


class RolloutActionSpec(Section):
    """What is asked, of which version, and by whom. It holds for exactly that version, and cannot be changed."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                *validations("self == oldSelf", _ONCE)["x-kubernetes-validations"],
                *validations("!has(self.step) || self.action == 'Promote'", _NO_STEP)["x-kubernetes-validations"],
            ]
        }
    )

    application: Annotated[Name, Field(description="An Application in the same namespace.")]
    action: Annotated[
        Wish,
        Field(
            description="`Promote` ends one pause or passes one gate, `PromoteFull` skips what is left of the steps, "
            "`Abort` goes back to the stable version, `Retry` starts an aborted version again."
        ),
    ]
    rollout: Annotated[Name, Field(description="One of the Application's Rollouts.")]
    uid: Annotated[str, Field(min_length=1, max_length=64, description="The Rollout's `metadata.uid`.")]
    pod_hash: Annotated[
        str,
        Field(max_length=63, description="The version: the Rollout's `status.currentPodHash`."),
        matching(r"^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$", "must be the hash of a pod template"),
    ]
    step: Annotated[
        int | None, Field(ge=0, le=100000, description="For Promote of a canary: `status.currentStepIndex`.")
    ] = None
    by: Annotated[
        str,
        Field(min_length=1, max_length=1024, description="Who asks: the name by which the API server knows the user."),
    ]
    reason: Annotated[str | None, Field(max_length=1024, description="Why, for the history.")] = None

    @model_validator(mode="after")
    def _step_of_a_promotion(self) -> RolloutActionSpec:
        if self.step is not None and self.action is not Wish.PROMOTE:
            raise ValueError(_NO_STEP)
        return self


class ActionState(StrEnum):
    """What has become of it. One without a status is Pending."""

    PENDING = "Pending"
    DONE = "Done"
    REFUSED = "Refused"


class RolloutActionStatus(Record):
    """What Dispatch did about it."""

    state: Annotated[ActionState, Field(description="Pending, Done or Refused.")] = ActionState.PENDING
    message: Annotated[str, Field(description="What was done, or why not.")] = ""
    at: Annotated[datetime | None, Field(description="When.")] = None


class RolloutAction(Section):
    """What one person asks of one version of one Rollout: to promote, to abort or to retry it."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["RolloutAction"] = "RolloutAction"
    metadata: Metadata
    spec: RolloutActionSpec
    status: RolloutActionStatus = RolloutActionStatus()


def asked(document: Mapping[str, Any]) -> Asked:
    """What a live RolloutAction asks. Its time is the server's (`metadata.creationTimestamp`), not the person's.

    Raises Terminal(INVALID_SPEC) for one that this Dispatch cannot read: a newer one may know more actions.
    """
    metadata, spec = document.get("metadata") or {}, document.get("spec") or {}
    try:
        step = spec.get("step")
        return Asked(
            name=str(metadata["name"]),
            wish=Wish(spec["action"]),
            uid=str(spec["uid"]),
            pod_hash=str(spec["podHash"]),
            step=None if step is None else int(step),
            by=str(spec["by"]),
            at=datetime.fromisoformat(metadata["creationTimestamp"]).astimezone(UTC),
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Terminal(
            Reason.INVALID_SPEC, f"RolloutAction {metadata.get('name')} cannot be read by this version of Dispatch"
        ) from None


def settled(document: Mapping[str, Any]) -> bool:
    """Whether a live RolloutAction has been answered: Done or Refused. Such a one asks nothing any more."""
    state = (document.get("status") or {}).get("state")
    return state in (ActionState.DONE, ActionState.REFUSED)
