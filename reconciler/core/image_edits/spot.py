"""Where an image is written in a text, and how it is written anew there: only the scalars that must change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.model.image import ImageRef, parse_ref

MAX_TEXT = 1024 * 1024
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+)+")
# Kept without quotes only where every YAML reader sees a text: a word, or three numbers with dots.
_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9._:/@+-]*|[0-9]+\.[0-9]+\.[0-9][A-Za-z0-9._:/@+-]*|[0-9][A-Za-z0-9._-]*[:/][^:]*[/@].*"
)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

Pairs = dict[str, tuple[Node, Node]]
"""Key -> (key, value), as they are written; what `<<` brings in, too, where the mapping has no key of its own."""


class Wanted(NamedTuple):
    """What is to be written. `pin` writes the digest also where only a tag has a place."""

    tag: str
    digest: str
    pin: bool = False


class Splice(NamedTuple):
    """`text` in place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Spot:
    """One image in one text. `ref` is what is written now, its name as the text has it (`registry/repository` of
    Helm's values put together); `whole` is the scalar of a reference in one piece, else there are `fields`.
    """

    ref: ImageRef
    whole: ScalarNode | None = None
    fields: Pairs = field(default_factory=dict)
    mapping: MappingNode | None = None
    tag_key: str = "tag"
    name_key: str = "repository"
    digest_may_be_added: bool = False

    def splices(self, text: str, wanted: Wanted) -> Iterator[Splice]:
        """What writes `wanted` here; nothing where it is written already."""
        if self.whole is not None:
            yield from replaced(text, self.whole, str(ImageRef(self.ref.name, wanted.tag, wanted.digest)))
            return
        digest_has_place = "digest" in self.fields or self.digest_may_be_added
        pinned_in_tag = wanted.pin or bool(self.ref.digest)
        tag = wanted.tag if digest_has_place or not pinned_in_tag else f"{wanted.tag}@{wanted.digest}"
        missing = []
        for key, value in ((self.tag_key, tag), ("digest", wanted.digest if digest_has_place else "")):
            if not value:
                continue
            if key in self.fields:
                yield from replaced(text, self.fields[key][1], value)
            else:
                missing.append((key, value))
        if missing and self.mapping is not None:
            yield inserted(text, self.mapping, (self.tag_key, self.name_key), missing)


class Unwritable(ValueError):
    """A scalar that cannot be written anew without touching more than it: a block scalar, say."""


def documents(text: str) -> list[Node]:
    """The root nodes of all documents. Raises ValueError for a text that is no YAML, or too big."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"over {MAX_TEXT} characters")
    try:
        return [node for node in yaml.compose_all(text, Loader=yaml.CSafeLoader) if node is not None]
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None


def mappings(root: Node) -> Iterator[MappingNode]:
    """Each mapping once, whatever refers to it."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, MappingNode):
            yield node
            waiting += [child for pair in node.value for child in pair]
        elif isinstance(node, SequenceNode):
            waiting += node.value


def pairs(node: MappingNode) -> Pairs:
    found: Pairs = {}
    merged: list[Node] = []
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.tag == "tag:yaml.org,2002:merge":
            merged += value.value if isinstance(value, SequenceNode) else [value]
        elif isinstance(key, ScalarNode):
            found[key.value] = (key, value)
    for other in merged:
        if isinstance(other, MappingNode) and other is not node:
            found = {**{key.value: (key, value) for key, value in other.value if isinstance(key, ScalarNode)}, **found}
    return found


def text_of(found: Pairs, key: str) -> str:
    """The text of a scalar, empty where there is none."""
    value = found[key][1] if key in found else None
    if not isinstance(value, ScalarNode) or (value.tag == "tag:yaml.org,2002:null" and not value.style):
        return ""
    return str(value.value)


def whole_spot(value: Node) -> Spot | None:
    """The spot of a reference that is one scalar; None where it is none."""
    if not isinstance(value, ScalarNode):
        return None
    ref = parse_ref(value.value)
    return Spot(ref, whole=value) if ref is not None else None


def replaced(text: str, value: Node, new: str) -> Iterator[Splice]:
    """The scalar with a new value, in its own quotes."""
    if not isinstance(value, ScalarNode):
        raise Unwritable(f"line {value.start_mark.line + 1} is no text")
    if value.value == new and value.tag == "tag:yaml.org,2002:str":
        return
    start, end = value.start_mark.index, value.end_mark.index
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    old = text[start:end]
    if value.style in ("|", ">") or "\n" in old:
        raise Unwritable(f"line {value.start_mark.line + 1} is a text of several lines")
    lead = " " if not old and text[start - 1 : start] == ":" else ""
    quote = value.style if value.style in ("'", '"') else ""
    yield Splice(start, end, lead + (f"{quote}{new}{quote}" if quote else scalar(new)))


def inserted(text: str, mapping: MappingNode, behind: Sequence[str], more: Sequence[tuple[str, str]]) -> Splice:
    """New keys behind the first of `behind` that the mapping itself has, else behind its last."""
    own = {key.value: (key, value) for key, value in mapping.value if isinstance(key, ScalarNode)}
    key, value = next((own[name] for name in behind if name in own), mapping.value[-1])
    if isinstance(value, ScalarNode) and value.style in ("|", ">"):
        raise Unwritable(f"line {value.start_mark.line + 1} is a text of several lines")
    alias = value.start_mark.index < key.end_mark.index
    if mapping.flow_style and alias:
        raise Unwritable(f"line {key.start_mark.line + 1} has an alias and no place for {more[0][0]} behind it")
    at = end_of_line(text, key.end_mark.index) if alias else last_end(value)
    if mapping.flow_style:
        return Splice(at, at, "".join(f", {name}: {scalar(new)}" for name, new in more))
    line_end = end_of_line(text, at)
    indent = " " * key.start_mark.column
    lines = [f"{indent}{name}: {scalar(new)}" for name, new in more]
    return Splice(line_end, line_end, "".join(newline(text) + line for line in lines))


def scalar(text: str) -> str:
    """As YAML: plain where that is a text for every reader."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else f'"{text}"'


def last_end(node: Node) -> int:
    """Where the last character of a node is: the mark of a block collection is that of whatever comes after it."""
    if isinstance(node, (MappingNode, SequenceNode)) and not node.flow_style and node.value:
        last = node.value[-1]
        return last_end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def end_of_line(text: str, at: int) -> int:
    """The place before the line's own end, `\\r\\n` or `\\n`."""
    end = text.find("\n", at)
    if end < 0:
        return len(text)
    return end - 1 if text[end - 1 : end] == "\r" and end > at else end


def newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """All of them done, from the last to the first. Two at the same place (an anchor with many aliases) are one."""
    for splice in sorted(set(splices), reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text
