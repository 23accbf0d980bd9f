"""Whether a live object is as Git wants it, decided without asking the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.core.defaults import is_dropped
from reconciler.core.kinds import BUILT_IN_GROUPS
from reconciler.core.managed_fields import MANAGER, ours
from reconciler.core.merge_keys import is_set, item_key, merge_key
from reconciler.core.ownership import PLAIN, agrees, same
from reconciler.model.change import ABSENT
from reconciler.model.identity import group_of


def in_sync(live: Mapping[str, Any], wanted: Mapping[str, Any], manager: str = MANAGER) -> bool:
    """True only when a server-side apply of `wanted` by `manager` would change nothing, ownership included.

    Of a custom kind one thing is not seen, which changes no value: a map that was empty when we applied it, that others
    filled, and that `wanted` now names with just these values. False is no verdict: the server may have normalised a
    value (`0.5` to `500m`), and a dry-run tells.
    """
    entry = ours(live, manager)
    if entry is None or not _one_version(entry, live, wanted) or not _one_object(live, wanted):
        return False
    return agrees(entry["fieldsV1"], wanted, live, built_in=_built_in(wanted))


def ours_matches(live: Mapping[str, Any], wanted: Mapping[str, Any], manager: str = MANAGER) -> bool:
    """True when our entry in managedFields names exactly the fields of `wanted`, whatever their values."""
    entry = ours(live, manager)
    if entry is None or not _one_version(entry, wanted, wanted):
        return False
    return agrees(entry["fieldsV1"], wanted, wanted, built_in=_built_in(wanted))


def covers(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """True when every field that `wanted` names is in `live` with the same value.

    Fields that `wanted` does not name, and items of keyed lists that it does not have, may be there; a list without
    keys must be equal. Without a schema and without managedFields, a list is known by its name (`merge_keys`).
    """
    return _covers(live, wanted, "", _built_in(wanted))


def _covers(live: Any, wanted: Any, name: str, built_in: bool) -> bool:
    if type(live) is type(wanted) in PLAIN:
        return bool(live == wanted)
    if live is ABSENT:
        return wanted is None or (built_in and is_dropped(name, wanted))
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            _covers(live.get(field, ABSENT), value, field, built_in) for field, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(live, list) and _covers_list(live, wanted, name, built_in)
    return same(wanted, live)


def _covers_list(live: list[Any], wanted: list[Any], name: str, built_in: bool) -> bool:
    if is_set(name):
        return all(member in live for member in wanted)
    names = merge_key(name, wanted) if wanted else None
    if names is None or merge_key(name, live) != names:
        return len(live) == len(wanted) and all(
            _covers(item, value, name, built_in) for item, value in zip(live, wanted, strict=True)
        )
    by_key = {item_key(item, names): item for item in live}
    return all(_covers(by_key.get(item_key(item, names), ABSENT), item, name, built_in) for item in wanted)


def _one_version(entry: Mapping[str, Any], live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """An entry of another `apiVersion` names paths of another schema; an apply would write it anew."""
    version = wanted.get("apiVersion")
    return bool(entry.get("apiVersion") == version == live.get("apiVersion"))


def _one_object(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Name and namespace are in nobody's entry: they are compared here."""
    there, named = live.get("metadata") or {}, wanted.get("metadata") or {}
    return all(there.get(field) == named[field] for field in ("name", "namespace") if field in named)


def _built_in(wanted: Mapping[str, Any]) -> bool:
    return group_of(str(wanted.get("apiVersion", ""))) in BUILT_IN_GROUPS
