"""What was last seen and done of a Promotion."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from reconciler.model.resource import Conditions, Record
from reconciler.model.rollout import Verdict


class PromotionState(StrEnum):
    """Where a version is on its way into one environment. Only a Hotfix expires."""

    CURRENT = "Current"
    WAITING = "Waiting"
    OPEN = "Open"
    MERGED = "Merged"
    REJECTED = "Rejected"
    QUEUED = "Queued"
    FAILED = "Failed"
    HELD = "Held"
    EXPIRED = "Expired"


class MergeVerdict(StrEnum):
    """What a merge was: as expected, one past a closed gate, or one of something else than was proposed."""

    EXPECTED = "Expected"
    OVERRIDE = "Override"
    UNREVIEWED = "Unreviewed"


class PastMerge(Record):
    """The last merge into an environment."""

    candidate: Annotated[str, Field(description="What was proposed.")] = ""
    pull_request: Annotated[str, Field(description="By which pull request.")] = ""
    number: Annotated[int, Field(description="Its number.")] = 0
    by: Annotated[str, Field(description="Who merged it, by the name that the forge knows.")] = ""
    at: Annotated[datetime | None, Field(description="When.")] = None
    commit: Annotated[str, Field(description="The commit that the branch got.")] = ""
    digest: Annotated[str, Field(description="SHA-256 of the objects that it renders, in hex.")] = ""
    verdict: Annotated[MergeVerdict, Field(description="Expected, Override or Unreviewed.")] = MergeVerdict.EXPECTED
    closed: Annotated[tuple[str, ...], Field(description="The gates that were closed then.")] = ()


class GateState(Record):
    """What one gate says, and by what."""

    gate: Annotated[str, Field(description="Which one.")]
    verdict: Annotated[str, Field(description="pass, wait or fail.")]
    evidence: Annotated[str, Field(description="Why.")] = ""

    @property
    def is_open(self) -> bool:
        """What cannot be told is closed."""
        return self.verdict == Verdict.PASS.value


class EnvironmentState(Record):
    """One environment but the first."""

    name: Annotated[str, Field(description="Its name.")]
    state: Annotated[PromotionState, Field(description="Where the version is.")]
    candidate: Annotated[str, Field(description="The name of what is to come: a digest of it.")] = ""
    images: Annotated[tuple[str, ...], Field(description="The images that come with it.")] = ()
    parts: Annotated[
        tuple[str, ...],
        Field(description="Which application gets which of them, where several go as one: `worker=shop:2`."),
    ] = ()
    source: Annotated[str, Field(description="The commit that the environment before has applied.")] = ""
    pull_request: Annotated[str, Field(description="Its pull request.")] = ""
    number: Annotated[int, Field(description="The number of the pull request, 0 for none.")] = 0
    proposed: Annotated[str, Field(description="The candidate that the pull request is for.")] = ""
    head: Annotated[str, Field(description="The commit of its branch that the gates speak of.")] = ""
    upon: Annotated[str, Field(description="The commit of the environment's branch that `head` is upon.")] = ""
    proven: Annotated[
        datetime | None, Field(description="Since when the environment before is Ready with it; none while it is not.")
    ] = None
    digest: Annotated[str, Field(description="SHA-256 of the objects that the commit renders, in hex.")] = ""
    rendered: Annotated[
        datetime | None, Field(description="Since when the commit renders that, where it rendered others before.")
    ] = None
    gates: Annotated[tuple[GateState, ...], Field(description="What they say.")] = ()
    earliest: Annotated[
        datetime | None,
        Field(description="When the times of its gates let it go on; none where nothing waits for one."),
    ] = None
    had: Annotated[
        tuple[str, ...], Field(description="The images that it has had last of those of the environment before.")
    ] = ()
    merged: Annotated[PastMerge | None, Field(description="The last merge into it.")] = None
    again: Annotated[str, Field(description="What it is called by who asks for it once more.")] = ""
    message: Annotated[str, Field(description="Why it is where it is, and what to do.")] = ""
    since: Annotated[datetime | None, Field(description="Since when it is in this state.")] = None

    @property
    def brings(self) -> tuple[str, ...]:
        """The images that come, as `had` knows them: with their application where there are several."""
        return self.parts or self.images


class PromotionStatus(Record):
    """What was last seen and done."""

    observed_generation: Annotated[int, Field(description="The generation of the spec that this is about.")] = 0
    conditions: Conditions = ()
    environments: Annotated[tuple[EnvironmentState, ...], Field(description="Each but the first.")] = ()
