"""Which file an object of kustomize's output comes from: by kind and name, which kustomize may have given a prefix, a
suffix or a hash. A guess for error messages, made only where a single file fits best."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from reconciler.model.manifest import Manifest, Origin

_DOCUMENT = re.compile(r"^---.*$", re.MULTILINE)
_FIRST = re.compile(r"^[^\s#]", re.MULTILINE)
_KIND = re.compile(r"^kind:[ \t]*[\"']?([A-Za-z0-9]+)", re.MULTILINE)
_METADATA = re.compile(r"^metadata:[ \t]*\n((?:[ \t]+.*\n?|[ \t]*#.*\n?|\n)+)", re.MULTILINE)
_NAME = re.compile(r"^[ \t]+name:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_TWICE = re.compile(r"already registered id: ([A-Za-z0-9]+)\.[^/\s]*/([^\s/]+?)\.(?:\[noNs\]|[a-z0-9-]+)(?=[\s'\"]|$)")

Places = Mapping[str, list[tuple[str, Origin]]]


def places(folder: Path, files: Iterable[str]) -> Places:
    """Kind -> (name, where it is written) of every document of the files below `folder`."""
    found: dict[str, list[tuple[str, Origin]]] = {}
    for file in dict.fromkeys(files):
        text = (folder / file).read_text(encoding="utf-8", errors="replace")
        for start, part in _parts(text):
            kind, name, first = _KIND.search(part), _name(part), _FIRST.search(part)
            if kind and name and first:
                line = text.count("\n", 0, start + first.start()) + 1
                found.setdefault(kind[1], []).append((name, Origin(file, line)))
    return found


def origin(manifest: Manifest, known: Places, kustomization: str) -> Origin:
    """The best place for an object, or the kustomization that was rendered."""
    name = manifest.id.name
    unknown = Origin(kustomization)
    fitting = [(len(written), place) for written, place in known.get(manifest.kind, ()) if written in name]
    if not fitting:
        return unknown
    longest = max(length for length, _ in fitting)
    best = [place for length, place in fitting if length == longest]
    return best[0] if len(best) == 1 else unknown


def registered_twice(message: str) -> tuple[str, str] | None:
    """Kind and name in kustomize's refusal of a second object with one identity."""
    match = _TWICE.search(message)
    return (match[1], match[2]) if match else None


def defining(folder: Path, files: Iterable[str], kind: str, name: str) -> list[Origin]:
    """All places where an object of that kind and name is written."""
    return [place for written, place in places(folder, files).get(kind, []) if written == name]


def _parts(text: str) -> Iterable[tuple[int, str]]:
    start = 0
    for mark in _DOCUMENT.finditer(text):
        yield start, text[start : mark.start()]
        start = mark.end()
    yield start, text[start:]


def _name(part: str) -> str | None:
    block = _METADATA.search(part)
    name = _NAME.search(block[1]) if block else None
    return name[1] if name else None
