"""The contract of the work queue. Time is a number that the tests move; nothing sleeps."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.queue import LOW, WorkQueue


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def queue(hand: Hand) -> WorkQueue[str]:
    return WorkQueue(hand, lambda: 0.0)


def drain(queue: WorkQueue[str]) -> list[str]:
    """Every key that is due now, in the order of the queue."""
    taken = []
    while not queue.idle():
        key = queue.get()
        assert key is not None
        taken.append(key)
        queue.done(key)
    return taken


def test_a_key_added_twice_is_handed_out_once(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add("a")
    assert drain(queue) == ["a"]


def test_the_highest_priority_goes_first_and_equals_keep_their_order(queue: WorkQueue[str]) -> None:
    queue.add("resync", priority=LOW)
    queue.add("first")
    queue.add("second")
    assert drain(queue) == ["first", "second", "resync"]


def test_a_key_added_again_keeps_the_highest_priority(queue: WorkQueue[str]) -> None:
    queue.add("a", priority=LOW)
    queue.add("b")
    queue.add("a", priority=5)
    queue.add("a", priority=LOW)
    assert drain(queue) == ["a", "b"]


def test_a_delayed_key_is_not_handed_out_before_its_time(queue: WorkQueue[str], hand: Hand) -> None:
    queue.add("a", after=10)
    assert queue.idle()
    hand.now = 9.9
    assert queue.idle()
    hand.now = 10
    assert drain(queue) == ["a"]


def test_the_shortest_wait_wins_whichever_came_first(queue: WorkQueue[str], hand: Hand) -> None:
    queue.add("a", after=10)
    queue.add("a", after=2)
    queue.add("a", after=60)
    hand.now = 2
    assert drain(queue) == ["a"]
    hand.now = 100
    assert drain(queue) == []


def test_a_key_that_is_held_is_not_handed_out_again_until_it_is_done(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    queue.add("b")
    assert queue.get() == "b"
    queue.done("b")
    queue.done("a")
    assert drain(queue) == ["a"]


def test_what_is_added_while_a_key_is_held_keeps_its_wait(queue: WorkQueue[str], hand: Hand) -> None:
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a", after=5)
    queue.done("a")
    assert queue.idle()
    hand.now = 5
    assert drain(queue) == ["a"]


def test_waits_grow_with_failures_in_a_row_and_start_again_after_a_success(queue: WorkQueue[str]) -> None:
    waits = [queue.retry("a") for _ in range(3)]
    assert waits == sorted(waits) and waits[0] < waits[2]
    queue.forgive("a")
    assert queue.retry("a") == waits[0]


def test_the_server_s_own_wish_is_the_shortest_wait(queue: WorkQueue[str]) -> None:
    assert queue.retry("a", at_least=90) == 90


def test_closing_wakes_a_waiting_worker_and_refuses_new_keys(queue: WorkQueue[str]) -> None:
    answers: list[str | None] = []
    worker = threading.Thread(target=lambda: answers.append(queue.get()))
    worker.start()
    queue.close()
    worker.join(5)
    queue.add("a")
    assert answers == [None]
    assert len(queue) == 0


Added = st.tuples(st.sampled_from("abcd"), st.sampled_from([0, 1, 5]), st.sampled_from([-1, 0, 1]))


@given(st.lists(Added, max_size=30))
def test_every_added_key_is_handed_out_exactly_once_at_its_earliest_time(added: list[tuple[str, int, int]]) -> None:
    hand = Hand()
    queue: WorkQueue[str] = WorkQueue(hand, lambda: 0.0)
    for key, after, priority in added:
        queue.add(key, after=after, priority=priority)
    earliest = {key: min(after for k, after, _ in added if k == key) for key, _, _ in added}
    handed: dict[str, float] = {}
    for moment in (0, 1, 5):
        hand.now = moment
        for key in drain(queue):
            assert key not in handed
            handed[key] = moment
    assert handed == earliest
