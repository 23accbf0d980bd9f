"""A release that waits is called by what people call it, and says what is still open."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.candidates import frozen, waiting
from reconciler.model.notice import Subject
from reconciler.model.promotion import (
    ApprovalsGate,
    EnvironmentState,
    GateState,
    PromotionEnvironment,
    PromotionGate,
    PromotionState,
)

SHOP = Subject("team-a", "shop-production")
IMAGE = "registry.example.com:5000/team/shop:2.0.0@sha256:0123456789abcdef"


def told(state: PromotionState, *images: str) -> Any:
    gates = (PromotionGate(approvals=ApprovalsGate(count=1, **{"from": ("ada", "bob")})),)
    environment = PromotionEnvironment(name="production", application="shop-production", gates=gates)
    closed = GateState(gate="approvals", verdict="wait", evidence="nobody has approved")
    return waiting(
        [SHOP],
        environment,
        EnvironmentState(
            name="production",
            state=state,
            candidate="0123456789",
            images=images,
            gates=() if state is PromotionState.MERGED else (closed,),
        ),
    )


def test_one_that_is_open_says_its_image_what_is_closed_and_who_may_approve() -> None:
    notice = told(PromotionState.OPEN, IMAGE)
    assert notice.title == "team-a/shop-production shop:2.0.0 is ready for production"
    assert notice.lines == (
        f"image {IMAGE}",
        "open gate: approvals: nobody has approved",
        "may be approved by ada, bob",
    )
    assert not notice.under_way


def test_one_that_was_merged_is_the_same_message_and_asks_nobody_any_more() -> None:
    notice = told(PromotionState.MERGED, IMAGE)
    assert notice.key == told(PromotionState.OPEN, IMAGE).key
    assert notice.title == "team-a/shop-production shop:2.0.0 was merged for production"
    assert notice.lines == (f"image {IMAGE}",)
    assert notice.under_way


@pytest.mark.parametrize(
    ("images", "name"),
    [
        ((), "0123456"),
        (("shop:1", "registry/other:2"), "shop:1, other:2"),
        (("registry:5000/shop@sha256:0123456789abcdef",), "shop@sha256:0123456789ab"),
    ],
)
def test_it_is_called_by_its_images_or_by_its_candidate_where_files_are_carried(
    images: tuple[str, ...], name: str
) -> None:
    assert told(PromotionState.OPEN, *images).title == f"team-a/shop-production {name} is ready for production"


@pytest.mark.parametrize("state", [PromotionState.WAITING, PromotionState.CURRENT, PromotionState.REJECTED])
def test_nothing_is_told_of_one_that_is_not_there_to_be_merged(state: PromotionState) -> None:
    assert told(state, IMAGE) is None


def test_a_release_of_several_applications_is_told_once_of_all() -> None:
    environment = PromotionEnvironment(name="production", applications=("web", "worker"))
    state = EnvironmentState(
        name="production",
        state=PromotionState.OPEN,
        candidate="0123456789",
        images=("shop:2", "till:5"),
        parts=("web=shop:2", "worker=till:5"),
    )
    notice = waiting([Subject("team-a", "web"), Subject("team-a", "worker")], environment, state)
    assert notice is not None
    assert notice.title == "team-a/web, worker shop:2, till:5 is ready for production"
    assert notice.lines == ("image web=shop:2", "image worker=till:5")
    assert (notice.about.name, [each.name for each in notice.beside]) == ("web", ["worker"])


@pytest.mark.parametrize(
    ("gates", "held"),
    [
        ([("freeze", "wait")], True),
        ([("window", "wait"), ("approvals", "pass")], True),
        ([("freeze", "wait"), ("approvals", "wait")], False),
        ([("freeze", "pass")], False),
        ([], False),
    ],
)
def test_a_release_that_only_the_time_holds_is_told_so(gates: list[tuple[str, str]], held: bool) -> None:
    found = tuple(GateState(gate=gate, verdict=verdict, evidence="a sale") for gate, verdict in gates)
    state = EnvironmentState(
        name="production", state=PromotionState.OPEN, candidate="0123456789", images=("shop:2",), gates=found
    )
    notice = frozen([Subject("team-a", "web")], state)
    assert (notice is not None) is held
    if notice is not None:
        assert notice.title == "team-a/web shop:2 has all it needs for production, and waits for the time"
        assert [line.endswith("a sale") for line in notice.lines] == [True]
    assert frozen([Subject("team-a", "web")], state.model_copy(update={"state": PromotionState.MERGED})) is None
