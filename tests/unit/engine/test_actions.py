"""What people asked, as the watch has it: what is open, and what a gate counts."""

from __future__ import annotations

from typing import Any

import pytest
from kind_cases import rollout_action

from reconciler.engine.actions import Actions
from reconciler.engine.keys import Key

WEB = Key("Application", "team-a", "web")


def action(wish: str, state: str = "") -> dict[str, Any]:
    document = rollout_action()
    name = f"{wish}-{state}".lower()
    document["metadata"] = {"name": name, "namespace": "team-a", "resourceVersion": "1"}
    document["metadata"]["creationTimestamp"] = "2026-11-26T04:30:00Z"
    document["spec"]["action"] = wish
    return {**document, "status": {"state": state} if state else {}}


@pytest.mark.parametrize(
    ("wish", "state", "is_open", "counts"),
    [
        ("Promote", "", True, True),
        ("Promote", "Pending", True, True),
        ("Promote", "Done", False, False),
        ("Promote", "Refused", False, False),
        ("Abort", "", True, True),
        ("Abort", "Done", False, True),
        ("Abort", "Refused", False, False),
        ("Retry", "Done", False, True),
    ],
)
def test_an_approval_is_spent_once_it_was_carried_out(wish: str, state: str, is_open: bool, counts: bool) -> None:
    actions = Actions(lambda key: None)
    actions.observe(action(wish, state))
    assert bool(actions.open(WEB)) is is_open
    assert bool(actions.approvals(WEB)) is counts
    actions.observe({**action(wish, state), "spec": {"action": "Undo"}})
    actions.remove(action(wish, state))
    assert (actions.open(WEB), actions.approvals(WEB)) == ([], [])


def test_the_application_is_woken_by_what_is_new_and_by_nothing_else() -> None:
    woken: list[Key] = []
    actions = Actions(woken.append)
    actions.observe(action("Promote"))
    actions.observe(action("Promote"))
    assert woken == [WEB]
    actions.listing()
    actions.listed()
    assert actions.open(WEB) == []
