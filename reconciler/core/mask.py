"""Secrets that are shown: which values changed may be seen, what they are may not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2s
from secrets import token_bytes
from typing import Any

from reconciler.core.content import LAST_APPLIED
from reconciler.model.change import ABSENT
from reconciler.model.identity import ObjectId, group_of

HIDDEN = "***"
BEFORE = "*** (before)"
AFTER = "*** (after)"
"""As `kubectl diff` marks a value that differs (kubectl, pkg/cmd/diff, Masker)."""

_SHOWN = frozenset({"apiVersion", "kind", "metadata", "type", "immutable"})
"""All else in a Secret may hold a value, a misspelt `stringdata` included."""

_KEY = token_bytes(32)
"""Of this process alone: a digest without a secret key would let a short password be guessed."""


def is_secret(document: Mapping[str, Any]) -> bool:
    """True for a Secret of the core group, one that forgot its `apiVersion` included."""
    return document.get("kind") == "Secret" and not group_of(str(document.get("apiVersion") or ""))


def mask(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it may be shown; anything but a Secret is returned as a plain copy of its top level.

    A value becomes `*** (5f3a9c1e)`: a digest that is the same for the same value as long as the process lives.
    """
    if not is_secret(document):
        return dict(document)
    return {
        field: _without_last_applied(value) if field in _SHOWN else _each(value, _digest)
        for field, value in document.items()
    }


def mask_pair(
    live: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both sides as they may be shown beside each other: a value that is the same, or is on one side only, is `***`;
    one that differs is `*** (before)` and `*** (after)`.
    """
    if not any(side is not None and is_secret(side) for side in (live, wanted)):
        return (None if live is None else dict(live), None if wanted is None else dict(wanted))
    return _beside(live, wanted, BEFORE), _beside(wanted, live, AFTER)


def mask_value(id: ObjectId, path: tuple[Any, ...], value: Any, mark: str = HIDDEN) -> Any:
    """One field's value as it may be shown: of a Secret only what cannot hold a secret; `None` stays `None`."""
    if id.group or id.kind != "Secret" or value is None:
        return value
    if path and path[0] in _SHOWN and LAST_APPLIED not in path:
        return _without_last_applied(value) if path == ("metadata",) else value
    return mark


def _beside(document: Mapping[str, Any] | None, other: Mapping[str, Any] | None, mark: str) -> dict[str, Any] | None:
    if document is None:
        return None
    shown: dict[str, Any] = {}
    for field, value in document.items():
        if field in _SHOWN:
            shown[field] = _without_last_applied(value)
            continue
        theirs = (other or {}).get(field, ABSENT)
        shown[field] = (
            {key: _mark(text, _of(theirs, key), mark) for key, text in value.items()}
            if isinstance(value, Mapping)
            else _mark(value, theirs, mark)
        )
    return shown


def _mark(value: Any, theirs: Any, mark: str) -> str:
    return HIDDEN if theirs is ABSENT or value == theirs else mark


def _of(values: Any, key: str) -> Any:
    return values.get(key, ABSENT) if isinstance(values, Mapping) else ABSENT


def _each(value: Any, hide: Any) -> Any:
    return {key: hide(text) for key, text in value.items()} if isinstance(value, Mapping) else hide(value)


def _digest(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return f"{HIDDEN} ({blake2s(text.encode(), key=_KEY, digest_size=4).hexdigest()})"


def _without_last_applied(metadata: Any) -> Any:
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if not isinstance(annotations, Mapping) or LAST_APPLIED not in annotations:
        return metadata
    return {**metadata, "annotations": {name: text for name, text in annotations.items() if name != LAST_APPLIED}}
