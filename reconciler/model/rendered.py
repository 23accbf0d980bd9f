"""What a render is asked for, and what it gives: the objects, a digest of them, and the files that were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.manifest import Manifest
from reconciler.model.render import Render


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What to render: a folder of a tree by a renderer. `name` and `namespace` are Helm's release."""

    path: str
    render: Render
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class ReadSet:
    """Path in the repository (posix, no leading slash, "" is the root) -> Git id of the blob or tree, None if absent.

    A render depends on nothing else, so an unchanged read set is an unchanged render. A tree's id stands for all
    below it.
    """

    oids: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Rendered:
    """`manifests` in the order of the tool; `digest` is of their content alone (hex SHA-256), so that two commits that
    render the same objects have the same digest. `key` names the render itself: read set, options and tool version.

    `hooks` are objects of the chart that carry a `helm.sh/hook` annotation: named, not applied.
    `tool` is what rendered it, with its version: `kustomize v5.8.1`, `plain`.
    """

    manifests: tuple[Manifest, ...]
    digest: str
    key: str
    read_set: ReadSet
    tool: str
    hooks: tuple[str, ...] = field(default=())
