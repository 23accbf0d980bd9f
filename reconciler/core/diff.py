"""What differs between a live object and the wanted one, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any

import yaml

from reconciler.core.content import LAST_APPLIED, strip
from reconciler.core.merge_keys import item_key, merge_key
from reconciler.core.ownership import same
from reconciler.core.pointer import Key, escape
from reconciler.model.change import ABSENT, FieldChange


def differences(live: Any, wanted: Any, path: str = "") -> list[FieldChange]:
    """Each field that is not the same on both sides, in the order of its path; `ABSENT` stands for "not there".

    A path is a JSON pointer in which an item of a keyed list is named by its key, not by its position:
    `/spec/containers/[name=web]/image` (see `reconciler.core.pointer`). What is on one side only is one change, not one
    for each field below it. Items that only moved are a change of the list.
    """
    name = path.rpartition("/")[2]
    return list(_differences(live, wanted, path, name))


def _differences(live: Any, wanted: Any, path: str, name: str) -> Iterator[FieldChange]:
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        for field in sorted({*live, *wanted}):
            here = f"{path}/{escape(field)}"
            yield from _differences(live.get(field, ABSENT), wanted.get(field, ABSENT), here, field)
    elif isinstance(live, list) and isinstance(wanted, list):
        yield from _in_lists(live, wanted, path, name)
    elif not (live is wanted or same(live, wanted)):
        yield FieldChange(path, live, wanted)


def _in_lists(live: list[Any], wanted: list[Any], path: str, name: str) -> Iterator[FieldChange]:
    names = merge_key(name, [*wanted]) if wanted else None
    if names is not None and names == merge_key(name, live):
        yield from _in_keyed_lists(live, wanted, path, names)
    elif len(live) == len(wanted) and all(isinstance(item, dict | list) for item in (*live, *wanted)):
        for place, (item, other) in enumerate(zip(live, wanted, strict=True)):
            yield from _differences(item, other, f"{path}/{place}", name)
    elif not same(live, wanted):
        yield FieldChange(path, live, wanted)


def _in_keyed_lists(live: list[Any], wanted: list[Any], path: str, names: tuple[str, ...]) -> Iterator[FieldChange]:
    lefts = {item_key(item, names): item for item in live}
    rights = {item_key(item, names): item for item in wanted}
    for values in dict.fromkeys([*rights, *lefts]):
        key = Key(tuple(zip(names, values or (), strict=True)))
        here = f"{path}/{escape(str(key))}"
        yield from _differences(lefts.get(values, ABSENT), rights.get(values, ABSENT), here, "")
    if [values for values in lefts if values in rights] != [values for values in rights if values in lefts]:
        yield FieldChange(path, live, wanted)


def unified(live: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None, *, title: str) -> str:
    """A unified diff of the two as YAML, sorted and without the server's bookkeeping; empty when they are the same.

    `live` None is a creation, `wanted` None a deletion. Mask Secrets first (`reconciler.core.mask.mask_pair`).
    """
    sides = [None if side is None else readable(side) for side in (live, wanted)]
    if same(*sides):
        return ""
    before, after = map(_lines, sides)
    names = (
        f"live/{title}" if live is not None else "/dev/null",
        f"git/{title}" if wanted is not None else "/dev/null",
    )
    return "".join(unified_diff(before, after, *names))


def _lines(document: Mapping[str, Any] | None) -> list[str]:
    return [] if document is None else [f"{line}\n" for line in to_yaml(document).rstrip("\n").split("\n")]


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without status, the server's metadata and what client-side `kubectl apply` leaves behind."""
    content = strip(document)
    annotations = (content.get("metadata") or {}).get("annotations") or {}
    if LAST_APPLIED in annotations:
        rest = {name: text for name, text in annotations.items() if name != LAST_APPLIED}
        content["metadata"] = {name: value for name, value in content["metadata"].items() if name != "annotations"}
        if rest:
            content["metadata"]["annotations"] = rest
    return content


class _Dumper(yaml.CSafeDumper):
    """Writes texts of several lines as blocks and a shared part each time in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.text)


def to_yaml(document: Mapping[str, Any]) -> str:
    """YAML with sorted keys, as `kubectl diff` and `kubectl get -o yaml` write it."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=10_000)
