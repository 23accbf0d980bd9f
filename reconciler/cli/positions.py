"""The line of every field of a YAML text, for errors that name a field."""

from __future__ import annotations

import contextlib
from typing import Any

Lines = dict[tuple[str | int, ...], int]


def positions(text: bytes) -> dict[int, Lines]:
    """For each document, by the line that it starts on: path of a field -> its line. Lines count from 1.

    Documents after a place that is no YAML are left out. Those before it must be ones that were already read within
    bounds: nodes are walked as often as aliases name them.
    """
    import yaml

    found: dict[int, Lines] = {}
    with contextlib.suppress(yaml.YAMLError):
        for node in yaml.compose_all(text, Loader=yaml.CSafeLoader):
            if node is not None:
                lines: Lines = {}
                _walk(node, (), lines)
                found[node.start_mark.line + 1] = lines
    return found


def _walk(node: Any, path: tuple[str | int, ...], lines: Lines) -> None:
    if node.id == "mapping":
        for key, value in node.value:
            place = (*path, key.value)
            lines[place] = key.start_mark.line + 1
            _walk(value, place, lines)
    elif node.id == "sequence":
        for index, item in enumerate(node.value):
            place = (*path, index)
            lines[place] = item.start_mark.line + 1
            _walk(item, place, lines)
