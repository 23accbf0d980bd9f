"""Fields that Git names and somebody else wrote: changed, gone, or taken over with the same value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.authors import ROLLOUTS
from reconciler.core.defaults import is_dropped
from reconciler.core.managed_fields import Entry, Fields, Owner, element, entries, latest, ours
from reconciler.core.merge_keys import GRANULAR, merge_key
from reconciler.core.ownership import filled, same
from reconciler.core.pointer import Element, Key, Path, Value, key_of, value_at
from reconciler.model.change import ABSENT
from reconciler.model.drift import DriftClass

_NOT_COMPARED: dict[Path, frozenset[str]] = {
    (): frozenset({"apiVersion", "kind"}),
    ("metadata",): frozenset({"name", "namespace"}),
}
_Trees = Sequence[tuple[Entry, Fields]]
"""The entries that own something here, each with what it owns below; `{}` is all of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One field that is not as Git wants it, and who wrote it as far as the server knows."""

    kind: DriftClass
    path: Path
    wanted: Any
    live: Any
    who: Owner | None


@dataclass(frozen=True, slots=True)
class _View:
    ours: Entry | None
    predicted: Mapping[str, Any] | None
    built_in: bool


def overwritten(
    wanted: Mapping[str, Any], live: Mapping[str, Any], predicted: Mapping[str, Any] | None, *, built_in: bool
) -> Iterator[Finding]:
    """The findings among the fields that `wanted` names.

    Whoever changes a value takes the field out of all other entries (KEP-555), so a field that is still in ours was
    changed by nobody: the server normalised it, or Git moved on. Where `predicted` (a dry-run's answer) has the live
    value, nothing is wrong with it either.
    """
    view = _View(ours(live), predicted, built_in)
    trees = [(entry, entry["fieldsV1"]) for entry in entries(live) if entry.get("subresource") != "status"]
    yield from _map(view, wanted, live, trees, ())


def _map(
    view: _View, wanted: Mapping[str, Any], live: Mapping[str, Any], trees: _Trees, path: Path
) -> Iterator[Finding]:
    skipped = _NOT_COMPARED.get(path, frozenset())
    if path and isinstance(path[-1], Key):
        skipped = frozenset(name for name, _ in path[-1].fields)
    for name, value in wanted.items():
        if name not in skipped:
            yield from _field(view, value, live.get(name, ABSENT), _into(trees, name), (*path, name))


def _field(view: _View, value: Any, present: Any, trees: _Trees, path: Path) -> Iterator[Finding]:
    whole = any(not fields for _, fields in trees)
    if present is ABSENT:
        yield from _gone(view, value, trees, path)
    elif isinstance(value, Mapping) and isinstance(present, Mapping) and not whole:
        yield from _map(view, value, present, trees, path)
    elif isinstance(value, list) and isinstance(present, list) and not whole:
        yield from _list(view, value, present, trees, path)
    else:
        yield from _leaf(view, value, present, trees, path)


def _gone(view: _View, value: Any, trees: _Trees, path: Path) -> Iterator[Finding]:
    dropped = value is None or (view.built_in and is_dropped(str(path[-1]), value))
    foreseen = view.predicted is not None and value_at(view.predicted, path) is ABSENT
    if not (dropped or foreseen or _mine(view, trees)):
        yield Finding(DriftClass.MISSING, path, value, None, None)


def _leaf(view: _View, value: Any, present: Any, trees: _Trees, path: Path) -> Iterator[Finding]:
    who = latest([entry for entry, _ in trees])
    if same(value, present) or (view.built_in and filled(value, present, str(path[-1]))):
        taken = view.ours is not None and who is not None and who.manager != ROLLOUTS
        if taken and not _mine(view, trees):
            yield Finding(DriftClass.TAKEN_OVER, path, value, present, who)
        return
    foreseen = view.predicted is not None and same(value_at(view.predicted, path), present)
    if not (foreseen or _mine(view, trees)):
        yield Finding(DriftClass.CHANGED, path, value, present, who)


def _list(view: _View, wanted: list[Any], live: list[Any], trees: _Trees, path: Path) -> Iterator[Finding]:
    elements = _elements(str(path[-1]), wanted, live, trees)
    if elements is None:
        yield from _leaf(view, wanted, live, trees, path)
        return
    wanted_items, live_items = elements
    for what, item in wanted_items.items():
        if what not in live_items:
            yield from _gone(view, item, _into(trees, what), (*path, what))
        elif isinstance(item, Mapping):
            yield from _map(view, item, live_items[what], _into(trees, what), (*path, what))
    order = [what for what in live_items if what in wanted_items]
    moved = order != [what for what in wanted_items if what in live_items]
    foreseen = view.predicted is not None and same(value_at(view.predicted, path), live)
    if moved and not foreseen:
        yield Finding(DriftClass.CHANGED, path, wanted, live, None)


def _elements(
    name: str, wanted: list[Any], live: list[Any], trees: _Trees
) -> tuple[dict[Element, Any], dict[Element, Any]] | None:
    """Both lists by what names their items, None for a list that is replaced as a whole.

    The owners' paths tell which it is; where nobody owns an item, its name does (`merge_keys`).
    """
    owned = [element(name) for _, fields in trees for name in fields if name != "."]
    kinds = {type(what) for what in owned}
    if kinds == {Value} and not any(isinstance(item, dict | list) for item in (*wanted, *live)):
        return {Value(item): item for item in wanted}, {Value(item): item for item in live}
    if not wanted and (owned or name in GRANULAR):
        return {}, {}
    first = next(iter(owned), None)
    names = tuple(field for field, _ in first.fields) if isinstance(first, Key) else merge_key(name, wanted)
    if names is None:
        return None
    sides: list[dict[Element, Any]] = []
    for items in (wanted, live):
        keys = [key_of(item, names) if isinstance(item, Mapping) else None for item in items]
        if None in keys:
            return None
        sides.append({key: item for key, item in zip(keys, items, strict=True) if key is not None})
    return sides[0], sides[1]


def _into(trees: _Trees, step: Element) -> _Trees:
    """What is owned one step below; who owns all of it goes along."""
    below: list[tuple[Entry, Fields]] = []
    for entry, fields in trees:
        if not fields:
            below.append((entry, fields))
        elif isinstance(step, str):
            if f"f:{step}" in fields:
                below.append((entry, fields[f"f:{step}"]))
        else:
            below += [(entry, part) for name, part in fields.items() if name != "." and element(name) == step]
    return below


def _mine(view: _View, trees: _Trees) -> bool:
    return any(entry is view.ours for entry, _ in trees)
