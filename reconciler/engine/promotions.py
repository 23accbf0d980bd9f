"""One reconcile of a Promotion: what is proven in one environment becomes a pull request to the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.conditions import conditions
from reconciler.engine.keys import Key
from reconciler.engine.notes import Note
from reconciler.engine.notices import Notices
from reconciler.engine.promotion_standing import next_look, stood
from reconciler.engine.promotion_step import Step
from reconciler.engine.promotion_sweep import sweep
from reconciler.engine.promotion_walk import Told
from reconciler.engine.queues import Queues
from reconciler.engine.report import Reporter
from reconciler.engine.world import World
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.promotion import (
    EnvironmentState,
    Promotion,
    PromotionEnvironment,
    PromotionState,
    PromotionStatus,
)

_NEWS = {
    PromotionState.OPEN: Reason.PROGRESSING,
    PromotionState.MERGED: Reason.PROMOTED,
    PromotionState.REJECTED: Reason.SUPERSEDED,
    PromotionState.FAILED: Reason.MERGE_BLOCKED,
    PromotionState.HELD: Reason.SUPERSEDED,
}


class Promotions:
    """Level-based: a call reads the Promotion, the environments, Git and the forge again, whatever woke it."""

    def __init__(self, world: World, queues: Queues, reporter: Reporter, notices: Notices) -> None:
        self._world = world
        self._queues = queues
        self._reporter = reporter
        self._notices = notices
        self._told: Told = {}

    def reconcile(self, key: Key) -> None:
        error: StageError | None = None
        states: list[EnvironmentState] = []
        try:
            promotion = self._world.catalog.get(key)
            if not isinstance(promotion, Promotion):
                return
            last = {each.name: each for each in promotion.status.environments}
            pairs = zip(promotion.spec.environments, promotion.spec.environments[1:], strict=False)
            for source, target in pairs:
                known = last.get(target.name, EnvironmentState(name=target.name, state=PromotionState.WAITING))
                before = states[-1] if states else None
                states.append(self._environment(key, source, target, known, before))
            sweep(self._world, key, states)
        except StageError as problem:
            error = problem
        document = self._world.catalog.document(key) or {}
        old = PromotionStatus.model_validate(document.get("status") or {})
        now = self._world.clock.now()
        status = _status(old, states, error, document.get("metadata", {}).get("generation", 0), now)
        wait = next_look(states, now)
        self._reporter.settle_other(key, status, error, _news(old, status), wait)
        if error is None and isinstance(promotion, Promotion):
            self._tell(key, promotion, states)

    def _tell(self, key: Key, promotion: Promotion, states: Sequence[EnvironmentState]) -> None:
        before = {each.name: each for each in promotion.status.environments}
        for environment, state in zip(promotion.spec.environments[1:], states, strict=True):
            self._notices.release(key.namespace, environment, before.get(state.name), state)

    def _environment(
        self,
        key: Key,
        source: PromotionEnvironment,
        target: PromotionEnvironment,
        known: EnvironmentState,
        before: EnvironmentState | None,
    ) -> EnvironmentState:
        step = Step(self._world, self._queues, key, source, target, known, self._told, before)
        return stood(self._world, known, step.take)


def _status(
    before: PromotionStatus,
    states: Sequence[EnvironmentState],
    error: StageError | None,
    generation: int,
    now: datetime,
) -> PromotionStatus:
    failed = next((each for each in states if each.state is PromotionState.FAILED), None)
    current = error is None and all(each.state is PromotionState.CURRENT for each in states)
    words = "; ".join(f"{each.name}: {each.state.value}, {each.message}" for each in states)
    reason = (
        error.reason
        if error
        else Reason.MERGE_BLOCKED
        if failed
        else Reason.SUCCEEDED
        if current
        else Reason.PROGRESSING
    )
    return PromotionStatus(
        observed_generation=generation,
        conditions=conditions(
            before.conditions,
            ready=False if error or failed else True if current else None,
            reason=reason,
            message=error.message if error else words,
            generation=generation,
            now=now,
            reconciling=not current and not failed and not isinstance(error, Terminal),
            stalled=bool(failed) or isinstance(error, Terminal),
        ),
        environments=tuple(states) if error is None else before.environments,
    )


def _news(before: PromotionStatus, after: PromotionStatus) -> list[Note]:
    old = {each.name: (each.state, each.candidate) for each in before.environments}
    return [
        Note(each.state is PromotionState.FAILED, _NEWS[each.state], f"{each.name}: {each.message}")
        for each in after.environments
        if each.state in _NEWS and old.get(each.name) != (each.state, each.candidate)
    ]
