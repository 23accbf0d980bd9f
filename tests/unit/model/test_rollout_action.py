"""A RolloutAction: what it asks, and of what it is sure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from kind_cases import rollout_action

from reconciler.model.document import load
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rollout import Asked, Wish
from reconciler.model.rollout_action import ActionState, RolloutAction, asked, settled


def live(**spec: Any) -> dict[str, Any]:
    """As the API server has it."""
    document = rollout_action()
    document["metadata"]["creationTimestamp"] = "2026-11-26T04:30:00Z"
    document["spec"] = {key: value for key, value in {**document["spec"], **spec}.items() if value is not None}
    return document


def test_what_is_asked_is_bound_to_rollout_version_and_step() -> None:
    assert asked(live()) == Asked(
        name="web-promote-1",
        wish=Wish.PROMOTE,
        uid="0a1b2c3d-0000-4000-8000-000000000000",
        pod_hash="5d4f8c7b9",
        step=1,
        by="ada@example.com",
        at=datetime(2026, 11, 26, 4, 30, tzinfo=UTC),
    )


def test_without_a_step_it_is_bound_to_none() -> None:
    assert asked(live(step=None)).step is None
    assert asked(live(step=0)).step == 0


@pytest.mark.parametrize(
    "broken",
    [
        live(action="Undo"),
        live(uid=None),
        live(step="first"),
        {**live(), "spec": None},
        {**live(), "spec": "x"},
        rollout_action(),
        {},
    ],
)
def test_one_that_cannot_be_read_asks_nothing(broken: dict[str, Any]) -> None:
    with pytest.raises(Terminal) as told:
        asked(broken)
    assert told.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize(
    ("status", "answered"),
    [
        (None, False),
        ({}, False),
        ({"state": "Pending"}, False),
        ({"state": "Done"}, True),
        ({"state": "Refused"}, True),
        ({"state": "Postponed"}, False),
    ],
)
def test_it_is_settled_once_it_has_an_answer(status: Any, answered: bool) -> None:
    assert settled({**live(), "status": status}) is answered


def test_it_is_read_as_a_document_of_ours() -> None:
    read = load({**live(), "status": {"state": "Done", "message": "promoted"}}, Origin("x"))
    assert isinstance(read, RolloutAction)
    assert (read.spec.by, read.spec.step, read.status.state) == ("ada@example.com", 1, ActionState.DONE)
