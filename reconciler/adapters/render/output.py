"""What a renderer made, before it is named and kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.model.manifest import Manifest

AS_RENDERED = " (as rendered)"
"""After the name of a file in an error: the line is that of the tool's output, not of the file."""


@dataclass(frozen=True, slots=True)
class Output:
    """Objects in the tool's order, and the names of the chart's hooks."""

    manifests: list[Manifest]
    hooks: list[str] = field(default_factory=list)
