"""What a chart depends on, and whether it is there (Helm: pkg/chart/v2, action.CheckDependencies)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from reconciler.ports import Entry


class Dependency(NamedTuple):
    """One entry of `dependencies` in Chart.yaml, or in requirements.yaml of an older chart."""

    name: str
    repository: str


def dependencies(description: Any, requirements: Any) -> list[Dependency]:
    """What is not well formed is left to Helm to refuse."""
    found = []
    for holder in (description, requirements):
        listed = holder.get("dependencies") if isinstance(holder, dict) else None
        for each in listed if isinstance(listed, list) else []:
            if isinstance(each, dict) and isinstance(each.get("name"), str):
                found.append(Dependency(each["name"], str(each.get("repository") or "")))
    return found


def vendored(folder: str, dependency: Dependency, files: Mapping[str, Entry], name_in: Callable[[Entry], str]) -> bool:
    """Whether the chart's `charts` holds it: as a folder, by its Chart.yaml, or packed, by the name of the file."""
    below = f"{folder}/charts/".lstrip("/")
    for path, entry in files.items():
        inside = path.removeprefix(below)
        if inside == path:
            continue
        if inside == f"{dependency.name}/Chart.yaml":
            return True
        if inside.startswith(f"{dependency.name}-") and inside.endswith(".tgz"):
            return True
        if inside.endswith("/Chart.yaml") and inside.count("/") == 1 and name_in(entry) == dependency.name:
            return True
    return False
