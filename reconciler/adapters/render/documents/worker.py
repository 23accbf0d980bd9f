"""The child that reads hostile text: YAML and JSON come in, plain JSON goes out, one file at a time.

A request is a frame of JSON, `{"sizes": [...], "bounds": [...]}`, and then the files' bytes, one after another. The
answer is a frame for each file: `{"documents": [[value, line, item_lines], ...]}`, or, for the first bad file and none
after it, `{"bad": [message, line, bound]}`, without a message where the memory was not enough. A frame is its length
in 8 bytes, big-endian, and its content. The child ends when its input does.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from reconciler.adapters.render.documents import builder, json_text
from reconciler.adapters.render.documents.builder import BadText, Bounds, Document


def main() -> None:
    # Nothing that is built here refers to itself; the collector would only walk millions of values that are in use.
    gc.disable()
    reader, writer = sys.stdin.buffer, sys.stdout.buffer
    while (frame := _read_frame(reader)) is not None:
        request = json.loads(frame)
        files = [reader.read(size) for size in request["sizes"]]
        for answer in answers(files, Bounds(*request["bounds"])):
            writer.write(len(answer).to_bytes(8, "big") + answer)
            writer.flush()


def answers(files: list[bytes], bounds: Bounds) -> Iterator[bytes]:
    """JSON for each file, up to the first bad one."""
    for text in files:
        try:
            bad, answer = None, _encoded({"documents": _documents(text, bounds)})
        except BadText as error:
            bad = [error.message, error.line, error.bound]
        except MemoryError:
            bad = [None, 0, True]
        # Not inside the handler: there the exception still holds all that was built.
        if bad is not None:
            yield _encoded({"bad": bad})
            return
        yield answer


def _encoded(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _documents(text: bytes, bounds: Bounds) -> list[Document]:
    if json_text.looks_like_json(text):
        try:
            return list(json_text.documents(text, bounds))
        except json_text.NotJson:
            pass
    return list(builder.documents(text, bounds))


def _read_frame(reader: BinaryIO) -> bytes | None:
    head = reader.read(8)
    return reader.read(int.from_bytes(head, "big")) if len(head) == 8 else None
