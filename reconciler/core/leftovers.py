"""Defaults of the server that stand in the way of a change, and how to get rid of them.

A Deployment whose Git says `strategy: {type: Recreate}` is refused as long as the live object holds the `rollingUpdate`
that the server itself once filled in: nobody owns it, so no server-side apply can take it out, not even with a null
(kubernetes, "Server-Side Apply": a field is removed only when its last owner gives it up). So it is first owned, by an
apply that changes no value, and the next apply gives it up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from reconciler.core.managed_fields import Fields, element, ours, owner
from reconciler.core.pointer import Key, Path, Value, position, resolve, value_at
from reconciler.model.change import ABSENT, Refusal

_FIELD = re.compile(r"\w+(?:\[\d+\])?(?:\.\w+(?:\[\d+\])?)*", re.ASCII)
_STEP = re.compile(r"\w+", re.ASCII)


def owning_leftovers(wanted: Mapping[str, Any], live: Mapping[str, Any], refusal: Refusal) -> dict[str, Any] | None:
    """What to apply once before `wanted`, so that `wanted` is no longer refused; None when the refusal is about
    something else: a field that Git names, or one that somebody owns.

    The document is what we own of `live`, as it is live, and the fields in the way: to apply it changes no value.
    """
    entry = ours(live)
    if refusal.code != 422 or not refusal.causes or entry is None:
        return None
    paths = [_path(field, live) for field, _ in refusal.causes]
    if any(path is None or not _is_leftover(path, wanted, live) for path in paths):
        return None
    metadata = {name: live["metadata"][name] for name in ("name", "namespace") if name in live["metadata"]}
    document: dict[str, Any] = _extract(entry["fieldsV1"], live)
    document |= {"apiVersion": live["apiVersion"], "kind": live["kind"]}
    document["metadata"] = metadata | document.get("metadata", {})
    for path in paths:
        _put(document, path or (), live)
    return document


def _path(field: str, live: Mapping[str, Any]) -> Path | None:
    """A field as the server's validation writes it: `spec.strategy.rollingUpdate`, `spec.volumes[0].configMap`."""
    return resolve(live, "/" + "/".join(_STEP.findall(field))) if _FIELD.fullmatch(field) else None


def _is_leftover(path: Path, wanted: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    return value_at(wanted, path) is ABSENT and owner(live, path) is None


def _extract(owned: Fields, live: Any) -> Any:
    """What an entry owns of a live object, as the document that was applied for it."""
    if not owned:
        return deepcopy(live)
    if isinstance(live, list):
        return _extract_items(owned, live)
    document: dict[str, Any] = {}
    for name, part in owned.items():
        value = live.get(name[2:], ABSENT) if name.startswith("f:") else ABSENT
        if value is not ABSENT:
            document[name[2:]] = _extract(part, value)
    return document


def _extract_items(owned: Fields, live: list[Any]) -> list[Any]:
    items: dict[int, Any] = {}
    for name, part in owned.items():
        what = element(name) if name != "." else None
        place = None if what is None else position(live, what)
        if isinstance(what, Value) and place is not None:
            items[place] = what.value
        elif isinstance(what, Key) and place is not None:
            items[place] = dict(what.fields) | _extract(part, live[place])
    return [items[place] for place in sorted(items)]


def _put(document: dict[str, Any], path: Path, live: Mapping[str, Any]) -> None:
    """Copy a field of the live object into the document, with the way to it."""
    place: Any = document
    for length, step in enumerate(path[:-1], start=1):
        following = value_at(place, (step,))
        if following is ABSENT:
            following = dict(step.fields) if isinstance(step, Key) else _container(live, path[:length])
            if isinstance(place, list):
                place.append(following)
            else:
                place[step] = following
        place = following
    if isinstance(path[-1], str) and isinstance(place, dict):
        place[path[-1]] = deepcopy(value_at(live, path))


def _container(live: Mapping[str, Any], path: Path) -> Any:
    return [] if isinstance(value_at(live, path), list) else {}
