"""Many pieces of work on a few threads."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait


def each(work: Callable[[int], None], count: int, threads: Executor, width: int) -> None:
    """`work(0)` ... `work(count - 1)`, each once, begun in this order, at most `width` at a time.

    The calling thread works too, so a batch gets on even while other batches have all the threads. Each thread draws
    its next piece by itself: a future for each piece would cost more than many a piece. The first exception stops the
    drawing and is raised when what has begun is done.
    """
    left = deque(range(count))
    errors: list[BaseException] = []
    lock = threading.Lock()

    def draw() -> None:
        try:
            while True:
                try:
                    index = left.popleft()
                except IndexError:
                    return
                work(index)
        except BaseException as error:
            left.clear()
            with lock:
                errors.append(error)

    helpers: list[Future[None]] = []
    # A closed pool takes no more: then the calling thread does all that there is.
    with contextlib.suppress(RuntimeError):
        helpers.extend(threads.submit(draw) for _ in range(min(width, count) - 1))
    draw()
    wait([helper for helper in helpers if not helper.cancel()])
    if errors:
        raise errors[0]
