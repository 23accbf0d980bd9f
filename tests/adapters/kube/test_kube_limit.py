"""How many requests at once, when again, and who draws which piece of work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kube import patience
from reconciler.adapters.kube.batch import each
from reconciler.adapters.kube.limit import GROW_AFTER, Limit, Outcome, Window


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_requests_that_are_refused_together_narrow_the_window_once() -> None:
    window = Window(8)
    for _ in range(8):
        window.observe(Outcome.BUSY, 0)
    assert window.allowed == 4
    window.observe(Outcome.BUSY, window.epoch)
    assert window.allowed == 2


def test_a_run_of_answers_widens_the_window_by_one() -> None:
    window = Window(8)
    window.observe(Outcome.BUSY, 0)
    for _ in range(GROW_AFTER):
        window.observe(Outcome.ANSWERED, 1)
    assert window.allowed == 5


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.booleans()), max_size=300))
def test_the_window_stays_between_one_and_the_most(steps: list[tuple[Outcome, bool]]) -> None:
    window = Window(8)
    for outcome, late in steps:
        window.observe(outcome, window.epoch - late)
        assert 1 <= window.allowed <= 8


def test_no_more_than_allowed_run_at_once() -> None:
    limit, lock, running, most = Limit(3), threading.Lock(), 0, 0

    def work() -> None:
        nonlocal running, most
        for _ in range(50):
            epoch = limit.enter()
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0)
            with lock:
                running -= 1
            limit.leave(epoch, Outcome.ANSWERED)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 3


def test_who_came_first_goes_first() -> None:
    limit, order = Limit(1), []
    epoch = limit.enter()

    def work(name: int) -> None:
        mine = limit.enter()
        order.append(name)
        limit.leave(mine, Outcome.ANSWERED)

    threads = []
    for name in range(5):
        threads.append(threading.Thread(target=work, args=(name,)))
        threads[-1].start()
        until(lambda: len(limit._waiting) == len(threads))
    limit.leave(epoch, Outcome.ANSWERED)
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


@given(losses=st.integers(1, 50), spent=st.floats(0, 100), jitter=st.floats(0, 1))
def test_a_lost_connection_is_tried_again_for_a_bounded_time(losses: int, spent: float, jitter: float) -> None:
    wait = patience.after_loss(losses, spent, stale=False, jitter=jitter)
    assert (wait is None) == (spent >= patience.LOST_FOR)
    assert wait is None or 0 < wait <= 1


def test_a_connection_that_had_gone_stale_is_replaced_at_once() -> None:
    assert patience.after_loss(1, 0.0, stale=True, jitter=1) == 0.0
    wait = patience.after_loss(2, 0.0, stale=True, jitter=1)
    assert wait is not None and wait > 0


@given(wish=st.floats(0, patience.LONGEST_WISH), jitter=st.floats(0, 1))
def test_a_server_that_says_when_is_not_asked_before(wish: float, jitter: float) -> None:
    wait = patience.after_busy(1, 0, wish, jitter=jitter)
    assert wait is not None and wait >= wish


def test_long_wishes_and_long_waits_are_the_callers() -> None:
    assert patience.after_busy(1, 0, 3600.0, jitter=0) is None
    assert patience.after_busy(9, patience.BUSY_FOR, 1.0, jitter=0) is None
    assert patience.after_failure(1, 3600.0, patience.Budget(1), jitter=0) is None


def test_a_batch_does_not_repeat_every_failure() -> None:
    budget = patience.Budget(100)
    waits = [patience.after_failure(1, None, budget, jitter=0) for _ in range(100)]
    assert sum(wait is not None for wait in waits) == 10


def test_one_request_is_repeated_a_few_times() -> None:
    budget = patience.Budget(1)
    waits = [patience.after_failure(times, None, budget, jitter=0) for times in range(1, 6)]
    assert [wait is not None for wait in waits] == [True, True, True, False, False]


@given(count=st.integers(0, 40), width=st.integers(1, 8))
def test_each_piece_of_a_batch_is_done_once(count: int, width: int) -> None:
    done: list[int] = []
    with ThreadPoolExecutor(4) as threads:
        each(done.append, count, threads, width)
    assert sorted(done) == list(range(count))


def test_the_first_error_stops_a_batch_and_is_raised() -> None:
    done: list[int] = []

    def work(index: int) -> None:
        if index == 3:
            raise ValueError("three")
        done.append(index)

    with ThreadPoolExecutor(1) as threads, pytest.raises(ValueError, match="three"):
        each(work, 10_000, threads, 2)
    assert len(done) < 9_999


def test_a_batch_gets_on_while_others_have_all_the_threads() -> None:
    free = threading.Event()
    done: list[int] = []
    with ThreadPoolExecutor(2) as threads:
        blocked = [threads.submit(free.wait, 30) for _ in range(2)]
        each(done.append, 5, threads, 8)
        assert done == [0, 1, 2, 3, 4]
        free.set()
        assert all(future.result() for future in blocked)
