"""The children that read text: replaced when they die, never left behind, each answer at its own file."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from processes import children, gone

from reconciler.adapters.render.documents.pool import Readers
from reconciler.adapters.render.limits import Limits
from reconciler.model.outcome import Terminal


@pytest.fixture
def readers() -> Iterator[Readers]:
    with contextlib.closing(Readers(Limits())) as made:
        yield made


def read(readers: Readers, *texts: str) -> list[list[Any]]:
    files = [(f"{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    found = list(readers.read(files))
    assert [name for name, _ in found] == [name for name, _ in files]
    return [[document.value for document in documents] for _, documents in found]


def test_each_file_has_its_answer(readers: Readers) -> None:
    assert read(readers, "a: 1", "", "b: 2\n---\nc: 3") == [[{"a": 1}], [], [{"b": 2}, {"c": 3}]]
    assert list(readers.read([])) == []


def test_files_of_many_megabytes_pass_in_order(readers: Readers) -> None:
    texts = [f"number: {number}\nx: {'y' * 700_000}" for number in range(13)]
    assert [documents[0]["number"] for documents in read(readers, *texts)] == list(range(13))


def test_a_bad_file_is_named_and_the_child_goes_on(readers: Readers) -> None:
    before = children()
    read(readers, "a: 1")
    started = children() - before
    with pytest.raises(Terminal, match=r"1\.yaml:2: "):
        read(readers, "a: 1", "b: 1\nb: 2", "c: 3")
    assert read(readers, "d: 4") == [[{"d": 4}]]
    assert children() - before == started


def test_a_child_that_was_killed_is_replaced(readers: Readers) -> None:
    before = children()
    read(readers, "a: 1")
    (pid,) = children() - before
    os.kill(int(pid), signal.SIGKILL)
    assert gone(int(pid))
    assert read(readers, "a: 1") == [[{"a": 1}]]


def test_many_threads_share_two_children(readers: Readers) -> None:
    before = children()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: read(readers, f"number: {number}"), range(64)))
    assert found == [[[{"number": number}]] for number in range(64)]
    assert 1 <= len(children() - before) <= 2


def test_a_consumer_that_stops_half_way_spoils_nothing(readers: Readers) -> None:
    files = [(f"{number}.yaml", f"n: {number}".encode()) for number in range(100)]
    for _ in readers.read(files):
        break
    assert read(readers, "a: 1") == [[{"a": 1}]]


def test_a_child_that_has_grown_is_let_go(readers: Readers) -> None:
    before = children()
    read(readers, "x: " + "y" * 9_000_000)
    assert children() == before


def test_closing_while_a_read_is_under_way_ends_its_child_too() -> None:
    before = children()
    readers = Readers(Limits())
    started = threading.Event()

    def files() -> Iterator[tuple[str, bytes]]:
        yield "a.yaml", b"a: 1"
        started.set()
        yield "b.yaml", b"x: " + b"y" * 3_000_000

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(lambda: len(list(readers.read(files()))))
        assert started.wait(30)
        readers.close()
        assert running.result(60) == 2
    readers.close()
    assert children() == before
