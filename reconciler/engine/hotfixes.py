"""One reconcile of a Hotfix: into its environment while its time lasts, and back to the environments before."""

from __future__ import annotations

from datetime import datetime

from reconciler.core import hotfix
from reconciler.core.conditions import conditions
from reconciler.engine.hotfix_step import HotfixStep
from reconciler.engine.keys import Key
from reconciler.engine.notes import Note
from reconciler.engine.notices import Notices
from reconciler.engine.promotion_standing import next_look
from reconciler.engine.promotion_walk import Told
from reconciler.engine.queues import Queues
from reconciler.engine.report import Reporter
from reconciler.engine.world import World
from reconciler.model.hotfix import Hotfix, HotfixStatus
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.promotion import EnvironmentState, PromotionState

_REASONS = {
    PromotionState.REJECTED: Reason.SUPERSEDED,
    PromotionState.EXPIRED: Reason.SUPERSEDED,
    PromotionState.FAILED: Reason.MERGE_BLOCKED,
}


class Hotfixes:
    """Level-based: a call reads the Hotfix, its Promotion, Git and the forge again, whatever woke it. One that is over
    is not looked at any more.
    """

    def __init__(self, world: World, queues: Queues, reporter: Reporter, notices: Notices) -> None:
        self._world, self._queues = world, queues
        self._reporter, self._notices = reporter, notices
        self._told: Told = {}

    def reconcile(self, key: Key) -> None:
        fix = self._world.catalog.get(key)
        if not isinstance(fix, Hotfix) or (hotfix.is_over(fix) and fix.status.conditions):
            return
        error: StageError | None = None
        status, environment = fix.status, None
        try:
            step = HotfixStep(self._world, self._queues, self._told, fix)
            status, environment = step.take(), step.target
        except StageError as problem:
            error = problem
        after = fix.model_copy(update={"status": status})
        status = _settled(after, error, self._world.clock.now())
        wait = self._next(after)
        self._reporter.settle_other(key, status, error, _news(fix.status, status), wait)
        if _moved(fix.status, status):
            # What a hotfix holds back may go on, or must not.
            self._queues.add(Key("Promotion", key.namespace, fix.spec.promotion))
        if environment is not None and status.target is not None:
            why = f"hotfix of {fix.spec.by}: {fix.spec.reason}"
            self._notices.release(key.namespace, environment, fix.status.target, status.target, why)

    def _next(self, fix: Hotfix) -> float | None:
        if hotfix.is_over(fix):
            return None
        now, target = self._world.clock.now(), fix.status.target
        wait = next_look([*([target] if target is not None else []), *fix.status.back], now)
        left = (fix.expires - now).total_seconds()
        return min(wait or left, left) if left > 0 and not hotfix.landed(fix) else wait


def _settled(fix: Hotfix, error: StageError | None, now: datetime) -> HotfixStatus:
    """The status with its conditions: Ready once it is in its environment and carried back."""
    status, target = fix.status, fix.status.target
    state = target.state if target is not None else PromotionState.WAITING
    over, failed = hotfix.is_over(fix), state in _REASONS
    done = over and not failed
    reason = error.reason if error else _REASONS.get(state, Reason.SUCCEEDED if done else Reason.PROGRESSING)
    found = conditions(
        status.conditions,
        ready=False if error or failed else True if done else None,
        reason=reason,
        message=error.message if error else _words(status),
        generation=fix.metadata.generation,
        now=now,
        reconciling=not over and not failed and not isinstance(error, Terminal),
        stalled=failed or isinstance(error, Terminal),
    )
    return status.model_copy(update={"observed_generation": fix.metadata.generation, "conditions": found})


def _words(status: HotfixStatus) -> str:
    target = [status.target] if status.target is not None else []
    return "; ".join(f"{each.name}: {each.state.value}, {each.message}" for each in (*target, *status.back))


def _states(status: HotfixStatus) -> dict[str, EnvironmentState]:
    target = {"into": status.target} if status.target is not None else {}
    return {**target, **{each.name: each for each in status.back}}


def _moved(before: HotfixStatus, after: HotfixStatus) -> bool:
    old, new = _states(before), _states(after)
    return {name: each.state for name, each in old.items()} != {name: each.state for name, each in new.items()}


def _news(before: HotfixStatus, after: HotfixStatus) -> list[Note]:
    old = {name: (each.state, each.candidate) for name, each in _states(before).items()}
    return [
        Note(
            each.state is PromotionState.FAILED,
            _REASONS.get(each.state, Reason.PROGRESSING),
            f"{each.name}: {each.message}",
        )
        for name, each in _states(after).items()
        if each.state is not PromotionState.WAITING and old.get(name) != (each.state, each.candidate)
    ]
