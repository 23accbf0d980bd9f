"""Reading fields of an object that someone else wrote: the type that the API promises, or `Malformed`.

An absent field and a null are the same, as they are to the API server; a field of another type is never guessed at.
"""

from __future__ import annotations

from typing import Any

_NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", list: "a list", dict: "an object"}
_INT64 = 2**63


class Malformed(ValueError):
    """A field has a type that its kind does not have. The text names the field and both types."""

    def __init__(self, path: tuple[str, ...], expected: str, value: object) -> None:
        found = _NAMES.get(type(value), "something else")
        place = ".".join(path).replace(".[]", "[]") or "the object"
        super().__init__(f"{place} is {found} where {expected} belongs")
        self._told = (path, expected, value)

    def within(self, *place: str) -> Malformed:
        """The same, seen from a level further out: the fields of an item of a list do not know where the list is."""
        path, expected, value = self._told
        return Malformed((*place, *path), expected, value)


def value(document: Any, *path: str) -> Any:
    """What is at `path`, None where nothing is. Raises Malformed when the way leads through something not an object."""
    found = document
    for depth, key in enumerate(path):
        if found is None:
            return None
        if not isinstance(found, dict):
            raise Malformed(path[:depth], "an object", found)
        found = found.get(key)
    return found


def text(document: Any, *path: str, default: str = "") -> str:
    found = value(document, *path)
    if found is None:
        return default
    if not isinstance(found, str):
        raise Malformed(path, "a string", found)
    return found


def integer(document: Any, *path: str, default: int = 0) -> int:
    """An int64, the integer of the Kubernetes API."""
    found = value(document, *path)
    if found is None:
        return default
    if type(found) is not int:
        raise Malformed(path, "an integer", found)
    if not -_INT64 <= found < _INT64:
        raise Malformed(path, "one of 64 bits", found)
    return found


def flag(document: Any, *path: str) -> bool:
    """False where nothing is."""
    found = value(document, *path)
    if found is None:
        return False
    if type(found) is not bool:
        raise Malformed(path, "a boolean", found)
    return found


def mapping(document: Any, *path: str) -> dict[str, Any]:
    """Empty where nothing is."""
    found = value(document, *path)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Malformed(path, "an object", found)
    return found


def items(document: Any, *path: str) -> list[dict[str, Any]]:
    """A list of objects, empty where nothing is."""
    found = value(document, *path)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Malformed(path, "a list", found)
    for item in found:
        if not isinstance(item, dict):
            raise Malformed((*path, "[]"), "an object", item)
    return found


def texts(document: Any, *path: str) -> list[str]:
    """A list of strings, empty where nothing is."""
    found = value(document, *path)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Malformed(path, "a list", found)
    for item in found:
        if not isinstance(item, str):
            raise Malformed((*path, "[]"), "a string", item)
    return found
