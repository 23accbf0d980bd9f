"""A Rollout as its controller writes it back: the same wishes in the spelling of its Go types.

To count a revision the controller sends the whole object (rollout/sync.go), marshalled from its types: empty maps where
a struct is no pointer, no field at all where a zero has `omitempty`, quantities in their canonical form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.defaults import is_dropped
from reconciler.core.merge_keys import merge_key
from reconciler.core.pointer import Path, key_of
from reconciler.core.quantity import same_quantity

_FALSE = frozenset({"dynamicStableScale", "progressDeadlineAbort", "requiredForCompletion", "matchTrafficWeight"})
"""Fields of argo-rollouts pkg/apis/rollouts/v1alpha1/types.go of which `false` is left out, beside those of a pod."""
_QUANTITIES = frozenset({"requests", "limits", "sizeLimit", "divisor"})
"""Fields of a pod template that are quantities, or maps of them."""


def spelled(wanted: Any, live: Any, path: Path) -> Any:
    """The value that Git wants at `path`, as Go writes it where it means what is live. All else is Git's."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        kept = {
            name: spelled(value, live[name], (*path, name)) if name in live else value
            for name, value in wanted.items()
            if name in live or not _dropped(name, value)
        }
        return kept | {name: value for name, value in live.items() if value == {} and name not in wanted}
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [spelled(value, now, path) for value, now in zip(wanted, live, strict=True)]
    return live if _QUANTITIES.intersection(path[-2:]) and same_quantity(wanted, live) else wanted


def left_out(wanted: Any, live: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of zeros that Git names and the live Rollout has not: to Go both are the same. Only what is found by
    name or key: a list without keys is compared as a whole (`spelled`).
    """
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for name, value in wanted.items():
            if name in live:
                yield from left_out(value, live[name], (*path, name))
            elif _dropped(name, value):
                yield (*path, name)
    elif isinstance(wanted, list) and isinstance(live, list) and wanted:
        names = merge_key(str(path[-1]), wanted)
        if names is None or merge_key(str(path[-1]), live) != names:
            return
        there = {key_of(item, names): item for item in live}
        for item in wanted:
            key = key_of(item, names)
            if key is not None and key in there:
                yield from left_out(item, there[key], (*path, key))


def _dropped(name: str, value: Any) -> bool:
    return is_dropped(name, value) or (value is False and name in _FALSE)
