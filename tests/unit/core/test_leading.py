"""What a controller does about the Lease, case by case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.leading import (
    Move,
    Record,
    Sighting,
    Terms,
    claimed,
    decide,
    given_back,
    record_of,
    sighted,
)

TERMS = Terms()
NOW = datetime(2026, 11, 26, 8, 30, 0, 250_000, tzinfo=UTC)
LATER = datetime(2026, 11, 26, 8, 30, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "age", "since", "move"),
    [
        (None, 0, None, Move.CLAIM),
        (Record(""), 0, None, Move.CLAIM),
        (Record("me"), 0, None, Move.CLAIM),
        (Record("other", 15.0), 14.9, None, Move.WAIT),
        (Record("other", 15.0), 15.0, None, Move.CLAIM),
        # What the holder said counts, whatever our own terms are.
        (Record("other", 60.0), 30.0, None, Move.WAIT),
        (Record("other", 5.0), 5.0, None, Move.CLAIM),
        (Record("other", None), 14.9, None, Move.WAIT),
        (Record("me", 15.0), 2, 2, Move.RENEW),
        (Record("me", 15.0), 2, 9.9, Move.RENEW),
        (Record("me", 15.0), 2, 10.0, Move.STEP_DOWN),
        (Record("other", 15.0), 0, 2, Move.STEP_DOWN),
        (Record("", 15.0), 0, 2, Move.STEP_DOWN),
        # Somebody has deleted it: whoever creates it first has it.
        (None, 0, 2, Move.CLAIM),
    ],
)
def test_the_move(record: Record | None, age: float, since: float | None, move: Move) -> None:
    """`age` is for how long the record has been as it is, `since` how long ago the last renewal was asked for."""
    now = 1000.0
    started = None if since is None else now - since
    assert decide(Sighting(record, now - age), "me", started, now, TERMS) is move


def test_a_lease_is_watched_on_our_own_clock_and_each_write_of_its_holder_starts_the_wait_anew() -> None:
    first = sighted(None, Record("other", version="1"), 100.0)
    assert sighted(first, Record("other", version="1"), 110.0).since == 100.0
    assert sighted(first, Record("other", version="2"), 110.0).since == 110.0
    assert sighted(first, None, 110.0).since == 110.0


def test_who_takes_it_over_counts_the_change_and_who_renews_keeps_its_beginning() -> None:
    spec = claimed(Record("other", acquired="2026-01-01T00:00:00.000000Z", transitions=4), "me", NOW, TERMS)
    assert spec == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-11-26T08:30:00.250000Z",
        "renewTime": "2026-11-26T08:30:00.250000Z",
        "leaseTransitions": 5,
    }
    again = claimed(record_of({"metadata": {"resourceVersion": "7"}, "spec": spec}), "me", LATER, TERMS)
    assert again == {**spec, "renewTime": "2026-11-26T08:30:02.000000Z"}


def test_what_is_given_back_can_be_taken_at_once() -> None:
    spec = given_back(Record("me", transitions=3), NOW)
    assert decide(Sighting(record_of({"spec": spec}), 0.0), "other", None, 0.0, TERMS) is Move.CLAIM
    assert (spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (1, 3)


@pytest.mark.parametrize(
    "lease", [{}, {"spec": None}, {"spec": {"leaseDurationSeconds": "x", "leaseTransitions": None}}]
)
def test_a_lease_that_says_little_is_read_as_free(lease: dict[str, object]) -> None:
    assert record_of(lease) == Record("")
