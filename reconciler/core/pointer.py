"""Paths inside an object, and how they are written.

A path is a tuple of elements: a field's name, a `Key` (the item of a keyed list), a `Value` (the member of a set) or a
position. Written, it is a JSON pointer (RFC 6901) in which an item of a keyed list is named by its key and not by its
position, so that it stays the same when the list is sorted or grows: `/spec/containers/[name=web]/image`,
`/spec/ports/[port=80,protocol=TCP]`, `/metadata/finalizers/[=example.com~1guard]`, `/spec/rules/0/host`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.merge_keys import KEY_DEFAULTS, is_set, merge_key
from reconciler.model.change import ABSENT


@dataclass(frozen=True, slots=True)
class Key:
    """The item of a list whose fields have these values; sorted by name."""

    fields: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return f"[{','.join(f'{name}={value}' for name, value in self.fields)}]"


@dataclass(frozen=True, slots=True)
class Value:
    """The member of a list that is a set."""

    value: Any

    def __str__(self) -> str:
        return f"[={self.value}]"


Element = str | int | Key | Value
Path = tuple[Element, ...]

_KEY_NAMES = re.compile(r"(?:^|,)([A-Za-z]\w*)=", re.ASCII)
_POSITION = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def text(path: Path) -> str:
    """The written form; empty for the whole object."""
    return "".join(f"/{escape(str(element))}" for element in path)


def escape(segment: str) -> str:
    """RFC 6901, section 3: `~` is `~0` and `/` is `~1`."""
    return segment.replace("~", "~0").replace("/", "~1")


def segments(pointer: str) -> tuple[str, ...]:
    """The segments of a written path, unescaped. A missing first slash is forgiven."""
    parts = pointer.removeprefix("/").split("/") if pointer not in ("", "/") else ()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def value_at(document: Any, path: Path) -> Any:
    """What is there, or `ABSENT`."""
    for element in path:
        if isinstance(element, str):
            document = document.get(element, ABSENT) if isinstance(document, Mapping) else ABSENT
        else:
            place = position(document, element)
            document = ABSENT if place is None else document[place]
    return document


def position(items: Any, element: Element) -> int | None:
    """Where in a list the element is, None where it is not."""
    if not isinstance(items, list):
        return None
    if isinstance(element, int):
        return element if element < len(items) else None
    return next((place for place, item in enumerate(items) if _is(item, element)), None)


def _is(item: Any, element: Element) -> bool:
    if isinstance(element, Value):
        return bool(item == element.value)
    if isinstance(element, Key) and isinstance(item, Mapping):
        return all(item.get(name, KEY_DEFAULTS.get(name, ABSENT)) == value for name, value in element.fields)
    return False


def key_of(item: Mapping[str, Any], names: tuple[str, ...]) -> Key | None:
    """The key of an item by the (sorted) names of its key fields; None when it lacks one, or one is no plain value."""
    fields = []
    for name in names:
        value = item.get(name, KEY_DEFAULTS.get(name, ABSENT))
        if value is ABSENT or isinstance(value, dict | list):
            return None
        fields.append((name, value))
    return Key(tuple(fields))


def resolve(document: Any, pointer: str) -> Path | None:
    """The path that a pointer means in this document; None where nothing is.

    A user may write positions (`/spec/containers/0/image`) or keys: both become the key where the list has one.
    """
    path: Path = ()
    for segment in segments(pointer):
        if isinstance(document, list):
            place = _place(document, segment)
            if place is None:
                return None
            path, document = (*path, _name_of(document, place, path)), document[place]
        elif isinstance(document, Mapping) and segment in document:
            path, document = (*path, segment), document[segment]
        else:
            return None
    return path


def _name_of(items: list[Any], place: int, path: Path) -> Element:
    name = str(path[-1]) if path else ""
    if is_set(name):
        return Value(items[place])
    names = merge_key(name, items)
    return place if names is None else key_of(items[place], names) or place


def locate(document: Any, pointer: str) -> str | None:
    """The plain RFC 6901 pointer (positions, no keys) of a written path in this document; None where nothing is."""
    plain = ""
    for segment in segments(pointer):
        if isinstance(document, list):
            place = _place(document, segment)
            if place is None:
                return None
            document, plain = document[place], f"{plain}/{place}"
        elif isinstance(document, Mapping) and segment in document:
            document, plain = document[segment], f"{plain}/{escape(segment)}"
        else:
            return None
    return plain


def _place(items: list[Any], segment: str) -> int | None:
    if _POSITION.fullmatch(segment):
        return int(segment) if int(segment) < len(items) else None
    return next((place for place, item in enumerate(items) if names_item(segment, item)), None)


def names_item(segment: str, item: Any) -> bool:
    """True when a written `[name=web]` or `[=value]` means this item. Values are compared as they are written."""
    if not (segment.startswith("[") and segment.endswith("]")):
        return False
    body = segment[1:-1]
    if not isinstance(item, Mapping):
        return not isinstance(item, list) and body == f"={item}"
    names = _KEY_NAMES.findall(body)
    return any(body == _written(item, some) for some in (names[:1], names) if some)


def _written(item: Mapping[str, Any], names: list[str]) -> str:
    return ",".join(f"{name}={item.get(name, KEY_DEFAULTS.get(name, ABSENT))}" for name in names)
