"""Which paths a kustomization file names: a pure reading of its fields (kustomize v5.8, api/types/kustomization.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class Wants(Enum):
    """What kustomize accepts at the place of a path."""

    FILE = "a file"
    ROOT = "a folder with a kustomization"
    EITHER = "a file or a folder with a kustomization"


class Reference(NamedTuple):
    """`field` as a person would write it: `resources[2]`, `configMapGenerator[0].files[1]`."""

    field: str
    path: str
    wants: Wants


class References(NamedTuple):
    """`whole_folder` names the field that may read any file of the kustomization's folder; empty when none does.
    `charts` names the field that asks for Helm."""

    found: tuple[Reference, ...] = ()
    whole_folder: str = ""
    charts: str = ""


_LISTS = {
    "resources": Wants.EITHER,
    "bases": Wants.ROOT,
    "components": Wants.ROOT,
    "crds": Wants.FILE,
    "configurations": Wants.FILE,
    "patchesStrategicMerge": Wants.FILE,
}
_PLUGINS = ("generators", "transformers", "validators")
_WITH_PATH = ("patches", "patchesJson6902", "replacements")
_GENERATORS = ("configMapGenerator", "secretGenerator")
_CHARTS = ("helmCharts", "helmGlobals", "helmChartInflationGenerator")
_WITHOUT_PATHS = frozenset({
    "apiVersion", "kind", "metadata", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels",
    "commonAnnotations", "images", "imageTags", "replicas", "vars", "sortOptions", "generatorOptions", "buildMetadata",
})  # fmt: skip
_REMOTE = re.compile(r"(?:[a-z][a-z0-9+.-]*://|git::|gh:|github\.com[/:]|[a-z][a-z0-9-]*@[^/]*[:/])", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/@]*@")


def references(document: Any) -> References:
    """All paths of a kustomization. What has not the shape that kustomize asks for is left to kustomize to refuse."""
    if not isinstance(document, dict):
        return References()
    found: list[Reference] = []
    whole_folder = charts = ""
    for name, value in document.items():
        if name in _CHARTS and value:
            charts = name
        elif name in _PLUGINS and value:
            # A plug-in of kustomize's own may load files that its configuration names.
            whole_folder = name
            found += _listed(name, value, Wants.EITHER)
        elif name in _LISTS:
            found += _listed(name, value, _LISTS[name])
        elif name in _WITH_PATH:
            found += _with_path(name, value)
        elif name in _GENERATORS:
            found += _generated(name, value)
        elif name == "openapi":
            found += _path_of(name, value)
        elif name not in _WITHOUT_PATHS and value:
            whole_folder = name
    return References(tuple(found), whole_folder, charts)


def is_remote(path: str) -> bool:
    """Whether kustomize takes the path for a repository or a page of the network (api/internal/git/repospec.go)."""
    return _REMOTE.match(path) is not None


def without_credentials(path: str) -> str:
    """A URL as it may be shown."""
    return _USER_INFO.sub("", path)


def _is_inline(text: str) -> bool:
    """A patch or a plug-in's configuration written in the place of a path."""
    return "\n" in text or text.lstrip().startswith("{")


def _listed(name: str, value: Any, wants: Wants) -> Iterator[Reference]:
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, str) and not _is_inline(item):
            yield Reference(f"{name}[{index}]", item, wants)


def _with_path(name: str, value: Any) -> Iterator[Reference]:
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, str):
            yield from _listed(name, [item], Wants.FILE)
        yield from _path_of(f"{name}[{index}]", item)


def _path_of(name: str, value: Any) -> Iterator[Reference]:
    if isinstance(value, dict) and isinstance(value.get("path"), str) and value["path"]:
        yield Reference(f"{name}.path", value["path"], Wants.FILE)


def _generated(name: str, value: Any) -> Iterator[Reference]:
    for index, item in enumerate(value if isinstance(value, list) else []):
        if not isinstance(item, dict):
            continue
        place = f"{name}[{index}]"
        for entry in _listed(f"{place}.files", item.get("files"), Wants.FILE):
            # `key=path`, or the path alone.
            yield entry._replace(path=entry.path.partition("=")[2] or entry.path)
        yield from _listed(f"{place}.envs", item.get("envs"), Wants.FILE)
        if isinstance(item.get("env"), str) and item["env"]:
            yield Reference(f"{place}.env", item["env"], Wants.FILE)
