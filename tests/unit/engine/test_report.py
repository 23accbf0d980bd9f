"""How a run that failed is settled."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.engine.queues import Queues
from reconciler.engine.report import Reporter
from reconciler.model.outcome import Blocked, Reason, StageError, Terminal, Transient
from reconciler.model.repository import RepositoryStatus

KEY = Key("Repository", "team-a", "config")
NOTHING: Any = None


class Settled:
    """A reporter of documents that are gone, so that only the next look is left to settle; its clock stands."""

    def __init__(self, stopping: bool = False) -> None:
        self.now = 0.0
        self.queues = Queues(lambda: self.now)
        catalog = Catalog(lambda key: None)
        self._reporter = Reporter(NOTHING, catalog, self.queues, NOTHING, NOTHING, NOTHING, lambda: stopping)

    def by(self, error: StageError | None) -> Settled:
        self._reporter.settle_other(KEY, RepositoryStatus(), error, ())
        return self

    def due(self, now: float) -> bool:
        self.now = now
        return not self.queues.of(KEY.kind).idle()


@pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.OBJECT_REFUSED, Reason.UNKNOWN_KIND])
def test_what_the_cluster_refuses_is_tried_again_after_a_minute(reason: Reason) -> None:
    settled = Settled().by(Terminal(reason, "no"))
    assert not settled.due(59.0)
    assert settled.due(60.0)


def test_what_only_a_new_commit_can_mend_is_not_tried_again() -> None:
    assert not Settled().by(Terminal(Reason.RENDER_FAILED, "no")).due(1e9)


def test_a_known_wait_is_waited_for() -> None:
    settled = Settled().by(Blocked(Reason.DEPENDENCY_NOT_READY, "not yet", 10.0))
    assert not settled.due(9.0)
    assert settled.due(10.0)


@pytest.mark.parametrize(
    "error",
    [
        Transient(Reason.SOURCE_UNREACHABLE, "git was ended by signal 9"),
        Blocked(Reason.PROGRESSING, "not rendered to the end", 1.0),
        Terminal(Reason.FORBIDDEN, "no"),
    ],
)
def test_what_fails_while_the_process_stops_is_left_to_the_next_start(error: StageError) -> None:
    assert not Settled(stopping=True).by(error).due(1e9)
