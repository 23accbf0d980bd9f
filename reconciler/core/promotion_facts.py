"""What is known of one environment of a promotion at one look: all that a decision about it is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.landing import Landed
from reconciler.core.promotion import Candidate
from reconciler.model.application_status import VetoEntry
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment
from reconciler.model.pull_request import PullRequest, Review
from reconciler.model.strategy import PrometheusMetric
from reconciler.ports import Measured, Team


@dataclass(frozen=True, slots=True)
class Said:
    """What the forge says. `older` is the pull request that is known, where it is of another version than the one to
    come; `request` the one of this version. `foreign`: its branch holds a commit that Dispatch did not make for it.
    `reviews` and `checks` are None where nobody asked for them; `teams` are those that had to be known. `landed` is of
    the one of the two that was merged since the last look.
    """

    older: PullRequest | None = None
    request: PullRequest | None = None
    foreign: bool = False
    reviews: Sequence[Review] | None = None
    checks: Mapping[str, str] | None = None
    landed: Landed | None = None
    teams: Mapping[str, Team] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one environment at one look.

    `applied` is the commit that the environment before runs, empty before its first one; `ready_since` when it became
    Ready with it, None while it is not. Where it is several applications that is what all of them run, and when the
    last one became Ready; `late` are those that keep the others back, and `apart` is why they run no commit in common,
    empty when they do. `vetoes` are the target's, by its applications. `base` is the branch that the target follows,
    `change` the commit that brings the candidate, `upon` the commit of the base that it is made upon, `digest` of what
    the target renders with it. Where there is no `forge` it is pushed. `said` is None as long as the commit was not
    made and the forge not asked. `measured` is what the metrics of the gates say now. `shared` are the images that both
    environments run in the same version; `tainted` is why what the environment before runs goes no further, empty when
    it may; `again` is what somebody asked for once more, as `EnvironmentState.again` names it.
    `behind` is the newer candidate that waits until this one had its turn. `urgent` is the Hotfix that goes first,
    empty for none; `lacking` are images that may lack one that has landed -> its name.
    """

    source: PromotionEnvironment
    target: PromotionEnvironment
    known: EnvironmentState
    applied: str = ""
    ready_since: datetime | None = None
    vetoes: Mapping[str, Sequence[VetoEntry]] = field(default_factory=dict)
    candidate: Candidate = field(default_factory=Candidate)
    base: str = ""
    forge: bool = False
    change: str = ""
    upon: str = ""
    behind: str = ""
    said: Said | None = None
    measured: Mapping[PrometheusMetric, Measured] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    tainted: str = ""
    again: Collection[str] = ()
    digest: str = ""
    urgent: str = ""
    lacking: Mapping[str, str] = field(default_factory=dict)
    late: tuple[str, ...] = ()
    apart: str = ""
