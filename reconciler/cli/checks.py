"""What is wrong with the documents of one file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reconciler.cli.document_files import Expect
from reconciler.cli.positions import Lines, positions

LIMIT = 32 * 1024 * 1024
"""Bytes of one file. etcd takes 1.5 MB for an object."""

_Place = tuple[str | int, ...]
_ORIGIN = re.compile(r"^.*?(?::(\d+))?: ", re.DOTALL)


class Finding(NamedTuple):
    """One error. `line` counts from 1, 0 when it is not known; `ref` names the object, `field` the place in it."""

    file: str
    line: int
    ref: str
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


@dataclass(slots=True)
class Checked:
    """What was found: `objects` counts documents of any kind, `ours` those of Dispatch's kinds among them."""

    findings: list[Finding] = field(default_factory=list)
    objects: int = 0
    ours: int = 0


def check(text: bytes, file: str, expect: Expect, into: Checked) -> None:
    """Every error of every document; reading ends at the first place where the text is no YAML."""
    from reconciler.adapters.render.documents.builder import BadText, Bounds, documents

    if len(text) > LIMIT:
        into.findings.append(Finding(file, 0, "", "", f"has more than {LIMIT // 1024**2} MiB: this is no manifest"))
        return
    lines: dict[int, Lines] | None = None
    try:
        for document in documents(text, Bounds()):
            for value, line, path in _opened(document.value, document.line, document.item_lines):
                found = _check_one(value, file, line, expect, into)
                if found and lines is None:
                    lines = positions(text)
                into.findings += _placed(found, path, (lines or {}).get(document.line, {}), line)
    except BadText as bad:
        into.findings.append(Finding(file, bad.line, "", "", bad.message))


def _placed(found: list[tuple[_Place, Finding]], above: _Place, lines: Lines, line: int) -> Iterator[Finding]:
    """Each error with the line of its field; `above` is the path to the object, `line` its own line."""
    if found:
        from reconciler.model.document import line_of

        for path, finding in found:
            yield finding._replace(line=line_of((*above, *path), lines, line))


def _opened(value: Any, line: int, item_lines: tuple[int, ...]) -> Iterator[tuple[Any, int, _Place]]:
    """The document, or the entries of a `List`, as kubectl opens it; with the line of each and the path to it."""
    items = value.get("items") if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") else None
    if not isinstance(items, list):
        yield value, line, ()
        return
    lines = item_lines if len(item_lines) == len(items) else (line,) * len(items)
    for index, (item, place) in enumerate(zip(items, lines, strict=True)):
        yield item, place, ("items", index)


def _check_one(value: Any, file: str, line: int, expect: Expect, into: Checked) -> list[tuple[_Place, Finding]]:
    """The errors of one document, each with the path of its field."""
    from reconciler.model.identity import group_of

    says = isinstance(value, dict) and bool(value.get("apiVersion") or value.get("kind"))
    if expect is Expect.SYNTAX or (expect is Expect.PERHAPS and not says):
        return []
    into.objects += 1
    if says and group_of(str(value.get("apiVersion"))) == "dispatch.dev":
        into.ours += 1
        return _check_ours(value, file, line)
    return _check_other(value, file, line)


def _check_ours(value: dict[str, Any], file: str, line: int) -> list[tuple[_Place, Finding]]:
    from reconciler.model.document import read

    found = read(value)
    if not isinstance(found, list):
        return []
    ref = _ref(value)
    return [(each.path, Finding(file, line, ref, each.field, each.message)) for each in found]


def _check_other(value: Any, file: str, line: int) -> list[tuple[_Place, Finding]]:
    """What makes an object, field by field; then by the rules of the renderer, in its words."""
    from reconciler.adapters.render.documents.builder import Document
    from reconciler.adapters.render.manifests import manifests
    from reconciler.model.outcome import Terminal

    missing = _missing(value) if isinstance(value, dict) else []
    if len(missing) == len(_NEEDED):
        return [((), Finding(file, line, "", "", "has no apiVersion, kind and name: this is no Kubernetes object"))]
    if missing:
        ref = _ref(value)
        return [(path, Finding(file, line, ref, ".".join(path), "missing")) for path in missing]
    try:
        list(manifests(file, [Document(value, line)]))
    except Terminal as error:
        return [((), Finding(file, line, _ref(value), "", _ORIGIN.sub("", error.message, count=1)))]
    return []


_NEEDED: tuple[tuple[str, ...], ...] = (("apiVersion",), ("kind",), ("metadata", "name"))


def _missing(document: dict[str, Any]) -> list[tuple[str, ...]]:
    metadata = document.get("metadata") or {}
    name = metadata.get("name") if isinstance(metadata, dict) else True
    given = (document.get("apiVersion"), document.get("kind"), name)
    return [path for path, value in zip(_NEEDED, given, strict=True) if not value]


def _ref(value: Any) -> str:
    """`Application.dispatch.dev/team-a/web`, as far as the document says it."""
    from reconciler.model.identity import ObjectId, group_of

    if not isinstance(value, dict):
        return ""
    metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
    named = [str((metadata or {}).get(key) or "") for key in ("namespace", "name")]
    return str(ObjectId(group_of(str(value.get("apiVersion") or "")), str(value.get("kind") or ""), *named))
