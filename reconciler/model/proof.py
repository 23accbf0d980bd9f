"""What is known of a version that is to go on: the gates of a promotion judge by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from reconciler.model.pull_request import Review
from reconciler.model.strategy import PrometheusMetric


class Measured(NamedTuple):
    """What a metric answered: a number for each of its series (none: it knows of nothing), or why there is none."""

    values: tuple[float, ...] = ()
    problem: str = ""


class Team(NamedTuple):
    """Who is in a team of the forge, by the names that reviews have; or why that cannot be told."""

    members: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a version: since when it is Ready in the environment before (None while it is not), and what is
    said of its pull request: the reviews, the newest state of each check (both None while there is none), its head and
    who opened it. `measured` is what each `analysis` gave; one that is missing was not asked. `digest` is of
    the objects that the head renders, `since` when it began to render those, where it had rendered others before.
    `teams` are those whose members had something to say; one that is missing was not asked for.
    """

    ready_since: datetime | None = None
    reviews: Sequence[Review] | None = None
    checks: Mapping[str, str] | None = None
    head: str = ""
    author: str = ""
    measured: Mapping[PrometheusMetric, Measured] = field(default_factory=dict)
    digest: str = ""
    since: datetime | None = None
    teams: Mapping[str, Team] = field(default_factory=dict)
