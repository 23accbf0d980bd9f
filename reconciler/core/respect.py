"""Fields that Git names and somebody else governs: what of them is sent.

What an ignore rule names, an autoscaler scaled or Argo Rollouts steers is left alone. The rule is Flux's (spec.ignore
of its Kustomization): a field that another manager owns is left out of what is sent, and stays; a field that only we
own is sent as it is now, for leaving it out would delete it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from reconciler.core.applyset import PART_OF
from reconciler.core.authors import is_autoscaler
from reconciler.core.managed_fields import Fields, below, element, entries, leaves, ours
from reconciler.core.pointer import Key, Path, position, resolve, value_at
from reconciler.core.rollouts import steered
from reconciler.model.application import DriftIgnore
from reconciler.model.change import ABSENT
from reconciler.model.identity import GroupKind, identify


def respect(
    wanted: dict[str, Any], live: Mapping[str, Any] | None, ignore: Sequence[DriftIgnore] = ()
) -> dict[str, Any]:
    """The document to send; `wanted` itself when nothing in it is somebody else's, and for an object not there yet."""
    if live is None:
        return wanted
    left = claimed(wanted, live, ignore)
    rolled = steered(wanted, live)
    if not left and not rolled:
        return wanted
    document = deepcopy(wanted)
    for path in left:
        _leave(document, live, path)
    for path, value in rolled:
        _set(document, path, value)
    return _identified(document, wanted)


def _identified(document: dict[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Which object it is and which set it belongs to is never somebody else's."""
    given = wanted["metadata"]
    metadata = document.setdefault("metadata", {}) | {
        name: given[name] for name in ("name", "namespace") if name in given
    }
    if PART_OF in (given.get("labels") or {}):
        metadata["labels"] = {**(metadata.get("labels") or {}), PART_OF: given["labels"][PART_OF]}
    return document | {"apiVersion": wanted["apiVersion"], "kind": wanted["kind"], "metadata": metadata}


def claimed(wanted: Mapping[str, Any], live: Mapping[str, Any], ignore: Sequence[DriftIgnore] = ()) -> list[Path]:
    """The paths of the two documents that are somebody else's by a rule, or by the nature of who wrote them."""
    paths: dict[Path, None] = {}
    for entry in entries(live):
        if is_autoscaler(entry):
            paths |= dict.fromkeys(leaves(entry))
    for rule in ignore:
        if _applies(rule, live):
            paths |= dict.fromkeys(_claims(rule, wanted, live))
    return [path for path in paths if not _is_key(path)]


def left_alone(live: Mapping[str, Any], ignore: Sequence[DriftIgnore]) -> frozenset[str]:
    """The managers that a rule of this object allows to write any field."""
    return frozenset(rule.manager for rule in ignore if rule.manager and not rule.fields and _applies(rule, live))


def _is_key(path: Path) -> bool:
    """An item's key is what it is found by: it belongs to whoever has the item."""
    item = path[-2] if len(path) > 1 else None
    return isinstance(item, Key) and path[-1] in dict(item.fields)


def _applies(rule: DriftIgnore, live: Mapping[str, Any]) -> bool:
    id = identify(dict(live))
    if rule.name is not None and rule.name != id.name:
        return False
    kind = GroupKind.parse(rule.kind) if rule.kind is not None else None
    return kind is None or (kind.kind == id.kind and (not kind.group or kind.group == id.group))


def _claims(rule: DriftIgnore, wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Path]:
    theirs = [entry for entry in entries(live) if entry.get("manager") == rule.manager]
    if not rule.fields:
        for entry in theirs:
            yield from (path for path in leaves(entry) if path[0] != "status")
        return
    for pointer in rule.fields:
        for side in (wanted, live):
            path = resolve(side, pointer)
            if path is None:
                continue
            if rule.manager is None or any(below(entry["fieldsV1"], path) is not None for entry in theirs):
                yield from _parts(path, side)


def _parts(path: Path, document: Mapping[str, Any]) -> Iterator[Path]:
    """A rule for the whole object, or for all its metadata, means what of it a user writes."""
    if path == ():
        yield from ((name,) for name in document if name not in ("apiVersion", "kind", "metadata", "status"))
    if path in ((), ("metadata",)):
        yield from (("metadata", name) for name in ("labels", "annotations"))
    else:
        yield path


def _leave(document: dict[str, Any], live: Mapping[str, Any], path: Path) -> None:
    """Take a path out of the document, but for what of it only we own: that as it is now."""
    if _inside_atomic(live, path):
        if value_at(document, path[:-1]) is not ABSENT:
            _set(document, path, value_at(live, path))
        return
    mine = ours(live)
    others = [entry["fieldsV1"] for entry in entries(live) if entry is not mine]
    owned = below(mine["fieldsV1"], path) if mine is not None else None
    kept = ABSENT if owned is None else _sole(owned, value_at(live, path), [below(fields, path) for fields in others])
    _set(document, path, kept)


def _sole(owned: Fields, live: Any, others: Sequence[Fields | None]) -> Any:
    """What of a live value only we own; ABSENT when nothing. An item that only we own keeps its key."""
    theirs = [fields for fields in others if fields is not None]
    if not owned:
        return ABSENT if theirs else live
    if any(not fields for fields in theirs) or live is ABSENT:
        return ABSENT
    if isinstance(live, list):
        return _sole_items(owned, live, theirs)
    kept = {}
    for name, part in owned.items():
        if name.startswith("f:") and isinstance(live, Mapping):
            value = _sole(part, live.get(name[2:], ABSENT), [fields.get(name) for fields in theirs])
            if value is not ABSENT:
                kept[name[2:]] = value
    return kept or ABSENT


def _sole_items(owned: Fields, live: list[Any], theirs: Sequence[Fields]) -> Any:
    kept: dict[int, Any] = {}
    for name, part in owned.items():
        what = element(name) if name != "." else None
        place = None if what is None else position(live, what)
        if what is None or place is None:
            continue
        shared = any(name in fields and (not fields[name] or "." in fields[name]) for fields in theirs)
        value = _sole(part, live[place], [fields.get(name) for fields in theirs])
        if isinstance(what, Key) and (value is not ABSENT or not shared):
            value = {**dict(what.fields), **(value if value is not ABSENT else {})}
        if value is not ABSENT:
            kept[place] = value
    return [kept[place] for place in sorted(kept)] or ABSENT


def _inside_atomic(live: Mapping[str, Any], path: Path) -> bool:
    """True when something above the path is replaced as a whole: then what is left out would be deleted."""
    return any(isinstance(element, int) for element in path) or any(
        below(entry["fieldsV1"], path[:length]) == {} for entry in entries(live) for length in range(1, len(path))
    )


def _set(document: dict[str, Any], path: Path, value: Any) -> None:
    """Put a value (ABSENT takes it out) where the path leads; nothing where the document has no way to it."""
    *way, last = path
    value = value if value is ABSENT else deepcopy(value)
    parent = value_at(document, tuple(way))
    if parent is ABSENT and value is not ABSENT and all(isinstance(step, str) for step in way):
        parent = document
        for step in way:
            parent = parent.setdefault(str(step), {})
    if isinstance(parent, list):
        _set_item(parent, position(parent, last), value)
    elif isinstance(parent, dict) and isinstance(last, str):
        if value is not ABSENT:
            parent[last] = value
        elif last in parent:
            del parent[last]
            if not parent and way and isinstance(way[-1], str):
                _set(document, tuple(way), ABSENT)


def _set_item(items: list[Any], place: int | None, value: Any) -> None:
    if place is None:
        if value is not ABSENT:
            items.append(value)
    elif value is ABSENT:
        del items[place]
    else:
        items[place] = value
