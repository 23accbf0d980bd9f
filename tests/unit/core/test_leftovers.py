"""A default that the server filled in once does not stand in the way of Git for ever."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reconciler.core.compare import covers
from reconciler.core.leftovers import owning_leftovers
from reconciler.model.change import Refusal

FORBIDDEN = "Forbidden: may not be specified when strategy `type` is 'Recreate'"


def refusal(*fields: str, code: int = 422) -> Refusal:
    return Refusal(code, "Invalid", "is invalid", tuple((field, FORBIDDEN) for field in fields))


def recreated(document: dict[str, Any]) -> dict[str, Any]:
    moved = copy.deepcopy(document)
    moved["spec"]["strategy"] = {"type": "Recreate"}
    return moved


def test_the_field_in_the_way_is_owned_with_all_that_we_own_already_and_no_value_changes(recorded: Any) -> None:
    found = recorded("applied")
    document = owning_leftovers(recreated(found.document), found.live, refusal("spec.strategy.rollingUpdate"))
    assert document is not None
    assert document["spec"]["strategy"] == {"rollingUpdate": found.live["spec"]["strategy"]["rollingUpdate"]}
    assert covers(found.live, document)
    assert (document["apiVersion"], document["kind"]) == ("apps/v1", "Deployment")
    assert document["metadata"] == found.document["metadata"]
    container = document["spec"]["template"]["spec"]["containers"][0]
    assert (container["name"], container["image"], container["args"]) == ("web", "nginx:1", ["--quiet"])


def test_a_field_inside_an_item_is_found_by_its_position(recorded: Any) -> None:
    found = recorded("applied")
    field = "spec.template.spec.containers[0].imagePullPolicy"
    document = owning_leftovers(found.document, found.live, refusal(field))
    assert document is not None
    assert document["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("applied", refusal("spec.strategy.rollingUpdate", code=409)),
        ("applied", refusal()),
        ("applied", refusal("spec.replicas")),
        ("applied", refusal("spec.strategy.rollingUpdate", "spec.replicas")),
        ("applied", refusal("spec.nothing")),
        ("applied", refusal("metadata.annotations[a/b]")),
        ("adopted-from-create", refusal("spec.strategy.rollingUpdate")),
    ],
    ids=["another code", "no cause", "Git names it", "one of two", "not there", "not a path", "somebody owns it"],
)
def test_any_other_refusal_is_the_users(name: str, refused: Refusal, recorded: Any) -> None:
    found = recorded(name)
    assert owning_leftovers(recreated(found.document), found.live, refused) is None


def test_an_object_that_we_never_applied_has_nothing_to_give_up(recorded: Any) -> None:
    found = recorded("applied")
    live = copy.deepcopy(found.live)
    live["metadata"]["managedFields"] = []
    assert owning_leftovers(recreated(found.document), live, refusal("spec.strategy.rollingUpdate")) is None
