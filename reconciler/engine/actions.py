"""What people asked of rollouts: the RolloutActions, by Application, as the watch last said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from reconciler.engine.keys import Key
from reconciler.model.outcome import Terminal
from reconciler.model.rollout import Asked, Wish
from reconciler.model.rollout_action import ActionState, asked, settled


class Action(NamedTuple):
    """One RolloutAction: what it asks, the Rollout that it names, and the object as it is."""

    asked: Asked
    rollout: str
    document: dict[str, Any]


class Actions:
    """Filled by a watch, read by the reconciles and the gates. `moved` is called with the Application of each action
    that came or was answered.
    """

    def __init__(self, moved: Callable[[Key], None]) -> None:
        self._moved = moved
        self._lock = threading.Lock()
        self._actions: dict[tuple[str, str], Action] = {}
        self._by_application: dict[Key, set[tuple[str, str]]] = {}
        self._seen: set[tuple[str, str]] = set()

    def observe(self, document: dict[str, Any]) -> None:
        """An action of a newer Dispatch, which cannot be read, is left to that one."""
        place = _place(document)
        try:
            action = Action(asked(document), document["spec"]["rollout"], document)
        except Terminal:
            return
        key = _application(document)
        with self._lock:
            self._seen.add(place)
            before = self._actions.get(place)
            if before is not None and _version(before.document) == _version(document):
                return
            self._actions[place] = action
            self._by_application.setdefault(key, set()).add(place)
        self._moved(key)

    def remove(self, document: dict[str, Any]) -> None:
        self._forget(_place(document))

    def listing(self) -> None:
        with self._lock:
            self._seen.clear()

    def listed(self) -> None:
        """The list is complete: what it did not name is gone."""
        with self._lock:
            gone = [place for place in self._actions if place not in self._seen]
        for place in gone:
            self._forget(place)

    def open(self, application: Key) -> list[Action]:
        """Those that were not answered yet, the oldest first."""
        return [action for action in self._of(application) if not settled(action.document)]

    def answered(self, application: Key) -> list[Action]:
        """Those that were carried out or refused, the oldest first."""
        return [action for action in self._of(application) if settled(action.document)]

    def approvals(self, application: Key) -> list[Asked]:
        """Every wish that a gate counts: those that were not refused, but for a Promote that was carried out. It was
        for one pass of its step, and the same version, released again, has the same hash and comes by there again.
        """
        return [each.asked for each in self._of(application) if _counts(each)]

    def _of(self, application: Key) -> list[Action]:
        with self._lock:
            found = [self._actions[place] for place in self._by_application.get(application, ())]
        return sorted(found, key=lambda action: (action.asked.at, action.asked.name))

    def _forget(self, place: tuple[str, str]) -> None:
        with self._lock:
            action = self._actions.pop(place, None)
            if action is not None:
                self._by_application.get(_application(action.document), set()).discard(place)


def _place(document: dict[str, Any]) -> tuple[str, str]:
    return document["metadata"].get("namespace", ""), document["metadata"]["name"]


def _application(document: dict[str, Any]) -> Key:
    return Key("Application", document["metadata"].get("namespace", ""), document["spec"]["application"])


def _counts(action: Action) -> bool:
    spent = (ActionState.REFUSED, ActionState.DONE) if action.asked.wish is Wish.PROMOTE else (ActionState.REFUSED,)
    return _state(action.document) not in spent


def _version(document: dict[str, Any]) -> str:
    return str(document["metadata"]["resourceVersion"])


def _state(document: dict[str, Any]) -> str:
    return str((document.get("status") or {}).get("state", ""))
