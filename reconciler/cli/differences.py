"""Differences between a cluster and Git, as text for people and as values for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any

from reconciler.cli.colour import Paint
from reconciler.cli.table import one_line
from reconciler.core.diff import to_yaml
from reconciler.engine.preview import Difference
from reconciler.model.change import ABSENT, Action, FieldChange

_WORDS = {
    Action.CREATE: "would be created",
    Action.UPDATE: "would be changed",
    Action.REPLACE: "would be deleted and created anew",
    Action.DELETE: "would be deleted",
}
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def as_text(difference: Difference, paint: Paint) -> str:
    """A heading and a unified diff of the object as YAML, without a newline at the end."""
    lines = [paint(f"{difference.id} {_WORDS[difference.action]}", "bold")]
    if difference.unchecked:
        lines.append(f"not checked by the server: {one_line(difference.unchecked)}")
    before = "live" if difference.live is not None else "/dev/null"
    after = f"wanted ({difference.origin})" if difference.wanted is not None else "/dev/null"
    told = unified_diff(_lines(difference.live), _lines(difference.wanted), before, after, lineterm="")
    lines += [paint(line, "bold" if place < 2 else _COLOURS.get(line[:1], "")) for place, line in enumerate(told)]
    lines += [f"rollout: {sentence}" for sentence in difference.predictions]
    return "\n".join(lines)


def as_values(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """An object each, those without a difference left out. A side of a field that is not there is left out, too."""
    return [_value(each) for each in differences if each.error or each.action is not Action.NONE]


def summary(differences: Sequence[Difference]) -> str:
    """`2 to create, 1 to change, 4 unchanged`."""
    counts = Counter("error" if each.error else each.action.value for each in differences)
    names = {
        "create": "to create",
        "update": "to change",
        "replace": "to replace",
        "delete": "to delete",
        "error": "refused",
        "none": "unchanged",
    }
    told = [f"{counts[action]} {words}" for action, words in names.items() if counts[action]]
    return ", ".join(told) or "no objects"


def _value(difference: Difference) -> dict[str, Any]:
    origin = difference.origin
    value: dict[str, Any] = {
        "ref": str(difference.id),
        "action": "error" if difference.error else difference.action.value,
        "file": origin.file if origin else None,
        "line": origin.line if origin else None,
        "fields": [dict(_sides(change)) for change in difference.fields],
    }
    if difference.predictions:
        value["predictions"] = list(difference.predictions)
    return value | {
        name: text for name, text in (("error", difference.error), ("unchecked", difference.unchecked)) if text
    }


def _sides(change: FieldChange) -> Iterator[tuple[str, Any]]:
    yield "path", change.path
    for name, side in (("live", change.live), ("wanted", change.wanted)):
        if side is not ABSENT:
            yield name, side


def _lines(document: Mapping[str, Any] | None) -> list[str]:
    return [] if document is None else to_yaml(document).splitlines()
