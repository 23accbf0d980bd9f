"""Which files a folder holds for `dispatch validate`, and what may be expected of each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

_SUFFIXES = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class Expect(Enum):
    """What a document of a file must be."""

    OBJECT = "an object"
    """The file was named by the user: each document is an object."""
    PERHAPS = "an object, where it says so"
    """A file of a folder: repositories hold other YAML, too; a document with apiVersion or kind is an object."""
    SYNTAX = "YAML"
    """A file of another tool: patches, values, the kustomization itself."""


class Found(NamedTuple):
    """One file to check."""

    path: Path
    expect: Expect


def named(path: Path) -> Iterator[Found]:
    """What to check for one argument of the user: the file, or what is in the folder, sorted."""
    if path.is_dir():
        yield from _folder(path)
    else:
        yield Found(path, Expect.SYNTAX if _is_of_a_tool(path) else Expect.OBJECT)


def _folder(top: Path) -> Iterator[Found]:
    """Hidden files and folders are left out, and templates of a chart: they are no YAML before Helm has filled them."""
    charts: list[Path] = []
    tools: set[Path] = set()
    for here, folders, files in os.walk(top):
        place = Path(here)
        inside_chart = any(chart in (place, *place.parents) for chart in charts)
        if "Chart.yaml" in files:
            charts.append(place)
            inside_chart = True
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (place in charts and name == "templates")
        )
        tools |= _of_kustomize(place, files)
        definitions = inside_chart and place.name == "crds"
        for name in sorted(files):
            path = place / name
            if name.startswith(".") or not (name.endswith(_SUFFIXES) or name in _KUSTOMIZATIONS):
                continue
            plain = not inside_chart or definitions
            expected = plain and not _is_of_a_tool(path) and Path(os.path.normpath(path)) not in tools
            yield Found(path, Expect.PERHAPS if expected else Expect.SYNTAX)


def _is_of_a_tool(path: Path) -> bool:
    return path.name in (*_KUSTOMIZATIONS, "Chart.yaml") or (
        path.name.startswith("values") and path.suffix in _SUFFIXES
    )


def _of_kustomize(folder: Path, files: list[str]) -> set[Path]:
    """The files that a kustomization reads as something else than objects: patches, settings, plain content."""
    from reconciler.adapters.render.documents.builder import BadText, Bounds, documents
    from reconciler.adapters.render.kustomization import references

    name = next((name for name in _KUSTOMIZATIONS if name in files), None)
    if name is None:
        return set()
    read: Any = None
    try:
        read = next(iter(documents((folder / name).read_bytes(), Bounds())), None)
    except (BadText, OSError):
        return set()  # it is reported when it is checked itself
    paths = references(read.value if read else None).found
    return {
        Path(os.path.normpath(folder / each.path))
        for each in paths
        if not each.field.startswith(("resources", "bases", "components"))
    }
