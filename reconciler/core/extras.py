"""Fields that a person's tool set and Git does not name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.authors import CLIENT_SIDE_APPLY, is_bookkeeping, is_person, only_creates
from reconciler.core.content import LAST_APPLIED
from reconciler.core.managed_fields import Fields, author, element, entries
from reconciler.core.overwritten import Finding
from reconciler.core.pointer import Path, value_at
from reconciler.model.change import ABSENT
from reconciler.model.drift import DriftClass

_LEFT_OPEN = frozenset({("spec", "replicas")})
"""Whoever leaves `replicas` out of Git wants it to be set elsewhere (Kubernetes, "Server-Side Apply", transferring
ownership to the HorizontalPodAutoscaler); taking it out would scale to 1."""

_SHARED = frozenset({"labels", "annotations"})
"""Never taken out as one: each may have several authors, and some of them are records of an act."""


def extras(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Finding]:
    """The findings, each as high up as the tool owns all that is there, so that they can be taken out.

    Not counted: status, metadata other than labels and annotations, records of an act, what was there before Dispatch
    came (a tool that only creates), and of client-side apply all but what its own memory says was asked for: it owns
    the server's defaults as well.
    """
    for entry in entries(live):
        who = author(entry)
        if not is_person(who.manager) or who.subresource == "status" or only_creates(who.manager):
            continue
        asked = _last_applied(live) if who.manager == CLIENT_SIDE_APPLY else None
        for path, value in _search(entry["fieldsV1"], live, wanted, ()):
            if _counts(path) and (asked is None or value_at(asked, path) is not ABSENT):
                yield Finding(DriftClass.EXTRA, path, None, value, who)


def _counts(path: Path) -> bool:
    if path[0] == "metadata":
        return len(path) > 2 and path[1] in ("labels", "annotations") and not is_bookkeeping(path)
    return path[0] != "status" and path not in _LEFT_OPEN and "finalizers" not in path and not is_bookkeeping(path)


def _search(owned: Fields, live: Any, wanted: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    for name, part in owned.items():
        if name == ".":
            continue
        step = element(name)
        here = (*path, step)
        present, theirs = value_at(live, (step,)), value_at(wanted, (step,))
        if present is ABSENT or (theirs is not ABSENT and not part):
            continue
        if theirs is ABSENT and step not in _SHARED and _whole(part, present):
            yield here, present
        else:
            yield from _search(part, present, theirs, here)


def _whole(owned: Fields, live: Any) -> bool:
    """True when all that is live below is owned by this entry."""
    if not owned:
        return True
    if isinstance(live, Mapping):
        return all(f"f:{name}" in owned and _whole(owned[f"f:{name}"], value) for name, value in live.items())
    if isinstance(live, list):
        parts = {element(name): part for name, part in owned.items() if name != "."}
        found = [(part, value_at(live, (step,))) for step, part in parts.items()]
        return len(found) == len(live) and all(value is not ABSENT and _whole(part, value) for part, value in found)
    return False


def _last_applied(live: Mapping[str, Any]) -> Mapping[str, Any]:
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    try:
        asked = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        asked = None
    return asked if isinstance(asked, Mapping) else {}
