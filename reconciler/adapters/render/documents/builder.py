"""YAML text to plain values, one document at a time, within bounds that are checked before a value is made.

It works on the events of libyaml, so that nothing is built for a document that goes too deep, repeats a key or grows
without end by aliases. Scalars are kubectl's (`scalars`). A mapping under `<<` counts where it stands, as in go-yaml
v2: what is written after it wins, what is written before it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser

from reconciler.adapters.render.documents.scalars import TAG, NotAValue, plain, plain_key, tagged

_SCALAR_WEIGHT = 8
_HINTS = {
    # libyaml is stricter than go-yaml with `[001:db8::]`.
    "unexpected ':'": "; write text that ends with a colon in quotes",
    "mapping values are not allowed": "; write text with a colon and a space in it in quotes",
    "cannot start any token": "; indent with spaces, not tabs, and write text that starts with @ ` or % in quotes",
    "could not find expected ':'": "; a line has no key, or a text over many lines has no quotes",
}


class Bounds(NamedTuple):
    """Of one document: levels of nesting, number of aliases, bytes of text that the aliases stand for."""

    depth: int = 200
    aliases: int = 10_000
    weight: int = 10 * 1024 * 1024


class Document(NamedTuple):
    """A value and the line that it starts on, from 1. `item_lines`: those of each entry of its field `items`."""

    value: Any
    line: int
    item_lines: tuple[int, ...] = ()


class BadText(Exception):
    """`line` counts from 1, 0 when it is not known. `bound` says that the text is over a bound, not wrong."""

    def __init__(self, message: str, line: int, *, bound: bool = False) -> None:
        super().__init__(message)
        self.message, self.line, self.bound = message, line, bound


@dataclass(slots=True)
class _Open:
    """A mapping or list that has not ended."""

    value: Any
    anchor: str | None
    weight: int
    height: int = 0
    key: Any = None
    wants_key: bool = False
    merging: bool = False
    merged: set[str] = field(default_factory=set)


class _Anchored(NamedTuple):
    value: Any
    weight: int
    height: int


def documents(text: bytes, bounds: Bounds) -> Iterator[Document]:
    """The documents of a file; empty ones are left out. Raises BadText.

    A last line without an end gets one, as kubectl's reader gives it: a text under `|` then ends with it.
    """
    parser = CParser(text if text.endswith(b"\n") else text + b"\n")
    try:
        while True:
            event = parser.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                document = _Builder(parser, bounds).build()
                if document.value is not None:
                    yield document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or "this is not YAML"
        hint = next((hint for words, hint in _HINTS.items() if words in problem), "")
        raise BadText(f"{problem}{hint}", mark.line + 1 if mark else 0) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count(b"\n") + 1 if isinstance(error.position, int) else 0
        raise BadText(f"this is not text: {error.reason}", line) from error


class _Builder:
    """One document. The lowest open value is a list of ours that takes the document's own value."""

    def __init__(self, parser: Any, bounds: Bounds) -> None:
        self._next = parser.get_event
        self._bounds = bounds
        self._open = [_Open([], None, 0)]
        self._anchors: dict[str, _Anchored | None] = {}
        self._weight = self._alias_weight = self._aliases = 0
        self._item_lines: list[int] = []

    def build(self) -> Document:
        event = self._next()
        line = event.start_mark.line + 1
        take = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start_mapping,
            yaml.SequenceStartEvent: self._start_list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
        }
        try:
            while type(event) is not yaml.DocumentEndEvent:
                take[type(event)](event)
                event = self._next()
        except NotAValue as error:
            raise BadText(str(error), event.start_mark.line + 1) from error
        return Document(self._open[0].value[0], line, tuple(self._item_lines))

    def _scalar(self, event: Any) -> None:
        text, tag, anchor = event.value, event.tag, event.anchor
        self._weight += len(text) + _SCALAR_WEIGHT
        unquoted = tag is None and event.implicit[0]
        parent = self._open[-1]
        if anchor is None and not unquoted and tag is None:
            self._add(parent, text, event)
        elif parent.wants_key:
            if text == "<<" and (unquoted or tag == TAG + "merge"):
                parent.merging = True
                parent.wants_key = False
                return
            key = plain_key(text) if unquoted else text if tag is None else str(tagged(tag, text))
            self._remember(anchor, key, len(text))
            self._add(parent, key, event)
        else:
            value = plain(text) if unquoted else text if tag is None else tagged(tag, text)
            self._remember(anchor, value, len(text))
            self._add(parent, value, event)

    def _remember(self, anchor: str | None, value: Any, length: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, length + _SCALAR_WEIGHT, 0)

    def _start_mapping(self, event: Any) -> None:
        self._start(_Open({}, event.anchor, self._weight, wants_key=True), event)

    def _start_list(self, event: Any) -> None:
        self._start(_Open([], event.anchor, self._weight), event)

    def _start(self, opened: _Open, event: Any) -> None:
        stack = self._open
        if len(stack) > self._bounds.depth:
            raise _too_deep(self._bounds, event)
        if stack[-1].wants_key:
            raise BadText("a key is a mapping or a list: Kubernetes knows text only", event.start_mark.line + 1)
        if len(stack) == 3 and stack[1].key == "items":
            self._item_lines.append(event.start_mark.line + 1)
        self._weight += _SCALAR_WEIGHT
        if opened.anchor is not None:
            self._anchors[opened.anchor] = None
        stack.append(opened)

    def _end(self, event: Any) -> None:
        closed = self._open.pop()
        parent = self._open[-1]
        if closed.anchor is not None:
            self._anchors[closed.anchor] = _Anchored(closed.value, self._weight - closed.weight, closed.height + 1)
        parent.height = max(parent.height, closed.height + 1)
        self._add(parent, closed.value, event)

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if event.anchor not in self._anchors:
            raise BadText(f"the alias *{event.anchor} has no anchor before it", line)
        target = self._anchors[event.anchor]
        if target is None:
            raise BadText(f"the anchor &{event.anchor} contains itself", line)
        self._weight += target.weight
        self._alias_weight += target.weight
        self._aliases += 1
        if self._aliases > self._bounds.aliases:
            raise BadText(f"more than {self._bounds.aliases:,} aliases", line, bound=True)
        if self._alias_weight > self._bounds.weight:
            raise BadText(f"its aliases stand for more than {self._bounds.weight:,} bytes of text", line, bound=True)
        if len(self._open) - 1 + target.height > self._bounds.depth:
            raise _too_deep(self._bounds, event)
        parent = self._open[-1]
        if parent.wants_key and not isinstance(target.value, str):
            raise BadText("a key is an alias of something that is not text", line)
        parent.height = max(parent.height, target.height)
        self._add(parent, target.value, event)

    def _add(self, parent: _Open, value: Any, event: Any) -> None:
        """Put a finished value where it belongs."""
        if parent.wants_key:
            if value in parent.value and value not in parent.merged:
                raise BadText(f"the key {value[:200]!r} is here twice", event.start_mark.line + 1)
            parent.key = value
            parent.wants_key = False
        elif parent.merging:
            parent.merging = False
            parent.wants_key = True
            _merge(parent, value, event)
        elif type(parent.value) is list:
            parent.value.append(value)
        else:
            parent.value[parent.key] = value
            parent.wants_key = True
            if parent.merged:
                parent.merged.discard(parent.key)


def _merge(parent: _Open, value: Any, event: Any) -> None:
    """`<<`: a mapping, or a list of mappings of which the first wins."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise BadText("what stands under << is not a mapping", event.start_mark.line + 1)
    for source in reversed(sources):
        parent.merged.update(key for key in source if key not in parent.value)
        parent.value.update(source)


def _too_deep(bounds: Bounds, event: Any) -> BadText:
    return BadText(f"nested deeper than {bounds.depth} levels", event.start_mark.line + 1, bound=True)
