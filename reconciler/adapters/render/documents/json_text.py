"""JSON text to plain values: what kubectl tries first where a file starts with a brace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from reconciler.adapters.render.documents.builder import Bounds, Document
from reconciler.adapters.render.documents.scalars import json_number


class NotJson(Exception):
    """The text is not JSON, or not within bounds: read it as YAML, which says where."""


def looks_like_json(text: bytes) -> bool:
    return text[:64].lstrip()[:1] == b"{"


def documents(text: bytes, bounds: Bounds) -> Iterator[Document]:
    """The objects of a file, one after another. Raises NotJson."""
    try:
        source = text.decode("utf-8")
        found = list(_values(source))
        if any(_deeper_than(bounds.depth, document.value) for document in found):
            raise NotJson
        # Half of a surrogate pair can be written as an escape but is no text.
        json.dumps([document.value for document in found], ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise NotJson from error
    yield from found


def _values(source: str) -> Iterator[Document]:
    position, line, counted = 0, 1, 0
    while (position := _skip_space(source, position)) < len(source):
        line += source.count("\n", counted, position)
        counted = position
        value, position = _DECODER.raw_decode(source, position)
        yield Document(value, line)


def _skip_space(source: str, position: int) -> int:
    while position < len(source) and source[position] in " \t\r\n":
        position += 1
    return position


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is there twice")
    return value


def _deeper_than(depth: int, value: Any) -> bool:
    if depth < 0:
        return True
    if isinstance(value, dict):
        return any(_deeper_than(depth - 1, item) for item in value.values())
    return isinstance(value, list) and any(_deeper_than(depth - 1, item) for item in value)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=lambda digits: json_number(int(digits)) if len(digits) < 300 else json_number(float(digits)),
    parse_float=lambda digits: json_number(float(digits)),
    parse_constant=_no_constant,
)
