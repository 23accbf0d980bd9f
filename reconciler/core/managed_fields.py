"""`metadata.managedFields`: who owns which field of a live object, since when and by which verb.

Kubernetes keeps, for each manager, the set of paths that it last wrote (KEP-555, `fieldsV1`): a map whose keys are `f:`
and a field's name, `k:` and the JSON of an item's key, `v:` and the JSON of a set's member, `i:` and a position, and
`.` for the thing itself. A scalar, a list or map that is replaced as a whole (atomic), a null and an empty map end in
`{}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from reconciler.core.pointer import Element, Key, Path, Value

Entry = Mapping[str, Any]
"""One item of `metadata.managedFields`."""

Fields = Mapping[str, Any]
"""A `fieldsV1`, or a part of one."""

MANAGER = "dispatch"


class Owner(NamedTuple):
    """Who wrote a field. `operation` is `Apply` or `Update`; `subresource` is empty for the object itself.

    `time` is None where the server keeps none (a write through `scale`, an apply that changed nothing but ownership).
    """

    manager: str
    operation: str
    time: datetime | None
    subresource: str


def entries(document: Mapping[str, Any]) -> list[Entry]:
    """The entries of a live object that name fields."""
    found = (document.get("metadata") or {}).get("managedFields") or ()
    return [entry for entry in found if entry.get("fieldsV1")]


def ours(document: Mapping[str, Any], manager: str = MANAGER) -> Entry | None:
    """What we last applied: our `Apply` entry on the object itself. There is at most one (KEP-555)."""
    for entry in entries(document):
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return entry
    return None


def author(entry: Entry) -> Owner:
    """Who an entry is of."""
    time = entry.get("time")
    return Owner(
        manager=str(entry.get("manager", "")),
        operation=str(entry.get("operation", "")),
        time=datetime.fromisoformat(time).astimezone(UTC) if isinstance(time, str) else None,
        subresource=str(entry.get("subresource", "")),
    )


def owned_paths(entry: Entry) -> frozenset[Path]:
    """The paths that an entry names, each thing that it owns as a whole (`.`) included."""
    return frozenset(path for path, _ in _walk(entry.get("fieldsV1") or {}, ()))


def leaves(entry: Entry) -> frozenset[Path]:
    """The paths that an entry names and below which it names nothing: scalars and what is replaced as a whole."""
    return frozenset(path for path, whole in _walk(entry.get("fieldsV1") or {}, ()) if not whole)


def _walk(fields: Fields, path: Path) -> Iterator[tuple[Path, bool]]:
    """Each path, and whether it is a thing (`.`) that has parts of its own."""
    for name, part in fields.items():
        if name == ".":
            yield path, True
        elif part:
            yield from _walk(part, (*path, element(name)))
        else:
            yield (*path, element(name)), False


@lru_cache(maxsize=8192)
def element(name: str) -> Element:
    """What one key of `fieldsV1` names."""
    kind, _, rest = name.partition(":")
    if kind == "f":
        return rest
    if kind == "k":
        return Key(tuple(sorted(json.loads(rest).items())))
    if kind == "v":
        return Value(json.loads(rest))
    return int(rest)


def below(fields: Fields, path: Path) -> Fields | None:
    """What a part of `fieldsV1` says of a path: None when it names nothing there, `{}` when the path, or a thing that
    holds it, is owned as a whole.
    """
    for step in path:
        if not fields:
            return fields
        if isinstance(step, str):
            found = fields.get(f"f:{step}")
        else:
            found = next((part for name, part in fields.items() if name != "." and element(name) == step), None)
        if found is None:
            return None
        fields = found
    return fields


def owner(document: Mapping[str, Any], path: Path) -> Owner | None:
    """Who wrote a path, or something below it, last; None when nobody owns it (a default of the server, a field that
    was taken out).
    """
    return latest([entry for entry in entries(document) if below(entry["fieldsV1"], path) is not None])


def latest(found: Sequence[Entry]) -> Owner | None:
    """The author of the entry that was written last; an entry without a time counts as the oldest."""
    never = datetime.min.replace(tzinfo=UTC)
    return max(map(author, found), key=lambda who: who.time or never, default=None)
