"""Readers of hostile text: a few long-lived children, each replaced when it dies, hangs or has grown."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reconciler.adapters import process
from reconciler.adapters.render import jail
from reconciler.adapters.render.documents.builder import Bounds, Document
from reconciler.adapters.render.limits import Limits, exceeded
from reconciler.model.outcome import Reason, Terminal

_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from reconciler.adapters.render.documents.worker import main; main()"
_BATCH_BYTES = 4 * 1024 * 1024
_GROWN_BYTES = 8 * 1024 * 1024
_BOUNDS = Bounds()


class Readers:
    """Safe to call from many threads. Children are started when first needed; `close` ends them."""

    def __init__(self, limits: Limits, *, children: int = 2) -> None:
        self._limits = limits
        self._closed = False
        # Last in, first out: the second child is started only when two threads read at the same time.
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        for _ in range(children):
            self._idle.put(_Child(limits))

    def read(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, list[Document]]]:
        """The documents of each file, in order.

        Raises Terminal: INVALID_MANIFEST with file and line, RENDER_LIMIT.
        """
        for batch in _batches(files):
            child = self._idle.get()
            try:
                answers = child.exchange(batch, _BOUNDS)
            finally:
                self._idle.put(child)
                if self._closed:
                    self.close()
            for (name, _), answer in zip(batch, answers, strict=False):
                yield name, _documents(name, answer, self._limits)

    def close(self) -> None:
        """End the children that are idle now, the others when they have answered. Reading goes on to work after it,
        with a child for each batch."""
        self._closed = True
        idle = []
        with contextlib.suppress(queue.Empty):
            while True:
                idle.append(self._idle.get_nowait())
        for child in idle:
            child.stop()
            self._idle.put(child)


class _Child:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def exchange(self, files: Sequence[tuple[str, bytes]], bounds: Bounds) -> list[dict[str, Any]]:
        """An answer for each file; the last one may be bad, then none follows."""
        try:
            return self._exchange(files, bounds)
        except _Died:
            # It may have been killed for what others took of the machine's memory; dying twice is the text's fault.
            pass
        try:
            return self._exchange(files, bounds)
        except _Died as died:
            what = f"{died.file} brought the YAML reader down"
            raise exceeded("memory", what, self._limits.memory, _way_out(died.file)) from died

    def _exchange(self, files: Sequence[tuple[str, bytes]], bounds: Bounds) -> list[dict[str, Any]]:
        running = self._process = self._process or _start(self._limits)
        late = threading.Event()
        watch = threading.Timer(self._limits.time, _kill, (running, late))
        watch.daemon = True
        watch.start()
        answers: list[dict[str, Any]] = []
        size = 0
        try:
            _send(running, files, bounds)
            while len(answers) < len(files) and not (answers and "bad" in answers[-1]):
                content = _receive(running)
                size += len(content)
                answers.append(json.loads(content))
        except (OSError, EOFError) as error:
            self.stop()
            name = files[len(answers)][0]
            if late.is_set():
                what = f"{name} takes too long to read as YAML"
                raise exceeded("time", what, self._limits.time, _way_out(name)) from error
            raise _Died(name) from error
        except BaseException:
            self.stop()
            raise
        finally:
            watch.cancel()
            watch.join()
        over_a_bound = "bad" in answers[-1] and answers[-1]["bad"][2]
        if size > _GROWN_BYTES or over_a_bound or late.is_set():
            # What the allocator took for one large file would stay with the child for good.
            self.stop()
        return answers

    def stop(self) -> None:
        if self._process is not None:
            process.kill(self._process)
            self._process = None


class _Died(Exception):
    """A child ended without an answer to a file."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file


def _way_out(file: str) -> str:
    return f"Look for deep nesting or huge values in {file} and take them out"


def _kill(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    child.kill()


def _batches(files: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    weight = 0
    for name, text in files:
        if batch and weight + len(text) > _BATCH_BYTES:
            yield batch
            batch, weight = [], 0
        batch.append((name, text))
        weight += len(text)
    if batch:
        yield batch


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    path = [entry for entry in sys.path if entry]
    return process.start(
        [*jail.wrapper(memory=limits.memory), sys.executable, "-I", "-c", _BOOT, *path], stdin=subprocess.PIPE, cwd="/"
    )


def _send(child: subprocess.Popen[bytes], files: Sequence[tuple[str, bytes]], bounds: Bounds) -> None:
    assert child.stdin is not None
    head = json.dumps({"sizes": [len(text) for _, text in files], "bounds": list(bounds)}).encode()
    child.stdin.write(len(head).to_bytes(8, "big") + head)
    for _, text in files:
        child.stdin.write(text)
    child.stdin.flush()


def _receive(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout is not None
    head = child.stdout.read(8)
    length = int.from_bytes(head, "big")
    content = child.stdout.read(length)
    if len(head) < 8 or len(content) < length:
        raise EOFError
    return content


def _documents(name: str, answer: dict[str, Any], limits: Limits) -> list[Document]:
    if "bad" not in answer:
        return [Document(value, line, tuple(item_lines)) for value, line, item_lines in answer["documents"]]
    message, line, bound = answer["bad"]
    if message is None:
        raise exceeded("memory", f"{name} takes too much memory to read as YAML", limits.memory, _way_out(name))
    place = f"{name}:{line}" if line else name
    if bound:
        way_out = "A file for Kubernetes needs nothing like it: write it out plainly, or take it out of the folder"
        raise Terminal(Reason.RENDER_LIMIT, f"{place}: {message}.\n{way_out}.")
    raise Terminal(Reason.INVALID_MANIFEST, f"{place}: {message}")
