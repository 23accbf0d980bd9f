"""YAML and JSON files as they are. No tool runs: the text is read in the readers' children."""

from __future__ import annotations

from reconciler.adapters.render.documents.pool import Readers
from reconciler.adapters.render.limits import Limits
from reconciler.adapters.render.manifests import manifests
from reconciler.adapters.render.scan import Reading, Scan
from reconciler.model.manifest import Manifest
from reconciler.model.render import PlainRender
from reconciler.ports import RenderRequest, Tree

_SUFFIXES = (".yaml", ".yml", ".json")


class Plain:
    """Files whose name, or the name of a folder on their way, starts with a dot are not read."""

    name = "plain"

    def __init__(self, readers: Readers, limits: Limits) -> None:
        self._readers = readers
        self._limits = limits

    def scan(self, tree: Tree, request: RenderRequest, folder: str) -> Scan:
        """All files with objects, in the order of their paths. Raises Terminal: a link out, RENDER_LIMIT."""
        recurse = (request.render.plain or PlainRender()).recurse
        scan = Scan(self.name, folder, options={"folder": folder})
        start = len(folder) + 1 if folder else 0
        found = [entry for entry in tree.files(folder) if _is_read(entry.path[start:], recurse)]
        # The id of the folder tells when a file comes or goes; the result depends on those that are read.
        Reading(tree, scan, self._limits).take_folder(folder, found)
        return scan

    def run(self, tree: Tree, scan: Scan) -> list[Manifest]:
        """Raises Terminal(INVALID_MANIFEST, RENDER_LIMIT) with file and line."""
        texts = ((path, tree.read(scan.links.get(path, path), self._limits.file)) for path in scan.files)
        return [manifest for file, found in self._readers.read(texts) for manifest in manifests(file, found)]


def _is_read(path: str, recurse: bool) -> bool:
    parts = path.split("/")
    return path.endswith(_SUFFIXES) and (recurse or len(parts) == 1) and not any(part.startswith(".") for part in parts)
