"""What somebody changed in the cluster: each field, who, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.core.authors import ROLLOUTS
from reconciler.core.defaults import is_dropped, is_filled
from reconciler.core.desired import Wanted
from reconciler.core.extras import extras
from reconciler.core.kinds import BUILT_IN_GROUPS
from reconciler.core.managed_fields import MANAGER, Entry, Fields, author, element, entries
from reconciler.core.mask import AFTER, BEFORE, HIDDEN, mask_value
from reconciler.core.merge_keys import item_key, merge_key
from reconciler.core.ownership import same
from reconciler.core.pointer import Key, Path, Value, locate, text, value_at
from reconciler.core.respect import claimed, respect
from reconciler.model.application import DriftIgnore
from reconciler.model.change import ABSENT
from reconciler.model.drift import Drift, DriftClass
from reconciler.model.identity import ObjectId

__all__ = ["find", "removals", "respect"]

_Trees = Sequence[tuple[Entry, Fields]]
"""The entries that own something here, each with what it owns below."""

_NEVER_OWNED = frozenset({"apiVersion", "kind"})
_IDENTITY = frozenset({"name", "namespace"})


def find(
    wanted: Wanted,
    live: Mapping[str, Any] | None,
    predicted: Mapping[str, Any] | None,
    ignore: Sequence[DriftIgnore] = (),
) -> list[Drift]:
    """How a live object differs from Git by somebody's hand; empty when it does not.

    `predicted` is the server's answer to a dry-run of what `respect` gives: where it has the live value, the server (a
    default, a quantity, a webhook) made the difference and nobody else. A field that we still own is no drift whatever
    its value: nobody wrote it since we did. Values of Secrets are masked.
    """
    if live is None:
        return [Drift(wanted.id, DriftClass.MISSING)]
    search = _Search(wanted.id, live, predicted)
    document = respect(wanted.manifest.document, live, ignore)
    return [*search.named(document), *_extra(wanted, live, ignore)]


def _extra(wanted: Wanted, live: Mapping[str, Any], ignore: Sequence[DriftIgnore]) -> Iterator[Drift]:
    document = wanted.manifest.document
    left = claimed(document, live, ignore)
    built_in = wanted.id.group in BUILT_IN_GROUPS
    seen: set[Path] = set()
    for path, value, who in extras(document, live):
        ours_to_leave = any(path[: len(claim)] == claim for claim in left)
        if path in seen or ours_to_leave or (built_in and is_filled(str(path[-1]), value)):
            continue
        seen.add(path)
        shown = mask_value(wanted.id, path, value, HIDDEN)
        yield Drift(wanted.id, DriftClass.EXTRA, text(path), None, shown, who.manager, who.operation, who.time)


def removals(drifts: Sequence[Drift], live: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) that takes the extra fields out of `live`, each removal guarded by a test of what is
    there: it fails as a whole when somebody was faster. It may hold values of a Secret: send it, never show it.
    """
    places = {locate(live, drift.path) for drift in drifts if drift.kind is DriftClass.EXTRA and drift.path}
    patch: list[dict[str, Any]] = []
    for place in sorted((place for place in places if place is not None), key=_position, reverse=True):
        patch += [{"op": "test", "path": place, "value": _at(live, place)}, {"op": "remove", "path": place}]
    return patch
