"""Whether what we applied last is what we would apply now: the walk that saves a request to the server.

A server-side apply changes nothing when (a) our entry in managedFields names exactly the fields of the document and
(b) each of them has its value. (a) is needed too: a field that left the document would be taken out, and a field that
another manager took over would come back. Who else changes a field's value takes it out of our entry, so a value that
the server normalised is the only doubt that remains; then the answer is no, and a dry-run decides.

How a path is owned tells what the schema would: `{}` is a scalar or is replaced as a whole, `k:` and `v:` are items of
a list that is merged (structured-merge-diff, typed/tofieldset.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from reconciler.core.defaults import fills_in_atomic, is_dropped
from reconciler.core.managed_fields import Fields, element
from reconciler.core.merge_keys import GRANULAR, WHOLE_MAPS, item_key
from reconciler.core.pointer import Key, Value
from reconciler.model.change import ABSENT

PLAIN = frozenset({str, int, bool})
"""Types whose equal values are equal as JSON when their types are the same."""

_NEVER_OWNED = frozenset({"apiVersion", "kind"})
_NEVER_OWNED_METADATA = frozenset({"name", "namespace"})
"""Stripped from every set (apimachinery, managedfields/internal/stripmeta.go), with what `complete` already drops."""


def agrees(owned: Fields, wanted: Mapping[str, Any], live: Mapping[str, Any], *, built_in: bool) -> bool:
    """True when `owned` (our `fieldsV1`) names exactly the fields of `wanted`, and `live` has their values.

    `built_in` says that the kind is one of the server's own Go types, whose dropped and filled values are known.
    """
    body = {name: value for name, value in wanted.items() if name not in _NEVER_OWNED}
    given = body.get("metadata") or {}
    body["metadata"] = {name: value for name, value in given.items() if name not in _NEVER_OWNED_METADATA}
    if not body["metadata"]:
        del body["metadata"]
    return _map(owned, body, live, built_in)


def _map(owned: Fields, wanted: Mapping[str, Any], live: Mapping[str, Any], built_in: bool) -> bool:
    named = len(owned) - ("." in owned)
    for name, value in wanted.items():
        mine = owned.get("f:" + name)
        if mine is None:
            if built_in and value == [] and name in GRANULAR and not live.get(name):
                continue
            return False
        named -= 1
        present = live.get(name, ABSENT)
        if mine:
            if not _merged(mine, value, present, built_in):
                return False
        elif type(value) is type(present) in PLAIN:
            if value != present:
                return False
        elif not _leaf(name, value, present, built_in):
            return False
    return named == 0


def _leaf(name: str, value: Any, present: Any, built_in: bool) -> bool:
    if present is ABSENT:
        return value is None or (built_in and is_dropped(name, value))
    if built_in and value and isinstance(value, dict) and name not in WHOLE_MAPS:
        return False  # it was empty when we applied it: its fields would become ours one by one
    return value is present or same(value, present) or (built_in and filled(value, present, name))


def _merged(mine: Fields, value: Any, present: Any, built_in: bool) -> bool:
    if isinstance(value, dict):
        return isinstance(present, dict) and _map(mine, value, present, built_in)
    if isinstance(value, list) and isinstance(present, list):
        return _list(mine, value, present, built_in)
    return False


def _list(owned: Fields, wanted: list[Any], live: list[Any], built_in: bool) -> bool:
    """Items are found by key and must stand in the order of `wanted`: an apply would move them."""
    names, items = _items(owned)
    if names is None or len(items) != len(wanted):
        return False
    if not names:
        return _members(items, wanted, live)
    places: dict[_Values, int] = {}
    for place, item in enumerate(live):
        key = item_key(item, names)
        if key is None or key in places:
            return False
        places[key] = place
    last = -1
    for item in wanted:
        key = item_key(item, names)
        place = -1 if key is None else places.get(key, -1)
        mine = None if key is None else items.get(key)
        if mine is None or "." not in mine or place <= last or not _map(mine, item, live[place], built_in):
            return False
        last = place
    return True


_Values = tuple[Any, ...]


def _items(owned: Fields) -> tuple[tuple[str, ...] | None, dict[_Values, Fields]]:
    """The names of the items' key fields (none for a set), and what is owned of each item by their values."""
    names: tuple[str, ...] | None = None
    items: dict[_Values, Fields] = {}
    for name, part in owned.items():
        if name != ".":
            names, values = _item(name)
            items[values] = part
    return names, items


@lru_cache(maxsize=8192)
def _item(name: str) -> tuple[tuple[str, ...] | None, _Values]:
    found = element(name)
    if isinstance(found, Key):
        return tuple(field for field, _ in found.fields), tuple(value for _, value in found.fields)
    return ((), (found.value,)) if isinstance(found, Value) else (None, ())


def _members(items: Mapping[_Values, Fields], wanted: list[Any], live: list[Any]) -> bool:
    if any(isinstance(member, dict | list) for member in (*wanted, *live)):
        return False
    return [member for member in live if member in wanted] == wanted and all((member,) in items for member in wanted)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: unlike in Python, `true` is not 1."""
    return bool(one == other) and _same_booleans(one, other)


def _same_booleans(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(_same_booleans(value, other[name]) for name, value in one.items() if type(value) is not str)
    if isinstance(one, list):
        return all(map(_same_booleans, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def filled(wanted: Any, live: Any, name: str) -> bool:
    """True when an atomic value of a built-in kind differs only by what the server fills in; `name` is its field."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return wanted.keys() <= live.keys() and all(
            filled(wanted[field], value, field) if field in wanted else fills_in_atomic(name, field, value)
            for field, value in live.items()
        )
    if isinstance(wanted, list) and isinstance(live, list):
        return len(wanted) == len(live) and all(
            filled(item, present, name) for item, present in zip(wanted, live, strict=True)
        )
    return same(wanted, live)
