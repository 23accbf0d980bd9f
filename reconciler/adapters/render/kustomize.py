"""`kustomize build`: the files that it would read are found by following the kustomizations, then it runs on those."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from reconciler.adapters.render import kustomize_origins, manifests
from reconciler.adapters.render.documents.pool import Readers
from reconciler.adapters.render.kustomization import (
    NAMES,
    Reference,
    References,
    Wants,
    is_remote,
    references,
    without_credentials,
)
from reconciler.adapters.render.limits import Limits
from reconciler.adapters.render.output import AS_RENDERED
from reconciler.adapters.render.scan import LINK, SUBMODULE, Reading, Scan, joined
from reconciler.adapters.render.tool import Run, Tool
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Entry, RenderRequest, Tree

_PARSED = 4096


class Kustomize:
    """Safe to call from many threads."""

    name = "kustomize"

    def __init__(self, readers: Readers, limits: Limits, *, allow_remote_bases: bool) -> None:
        self._readers = readers
        self._limits = limits
        self._allow_remote = allow_remote_bases
        self._parsed: OrderedDict[str, References] = OrderedDict()
        self._guard = threading.Lock()

    def scan(self, tree: Tree, request: RenderRequest, folder: str) -> Scan:
        """Follow all that the kustomization names. Raises Terminal."""
        scan = Scan(self.name, folder)
        _Walk(self, Reading(tree, scan, self._limits)).root(folder, (), "")
        scan.options = {"folder": folder, "remote": scan.network}
        return scan

    def run(self, run: Run, scan: Scan, tool: Tool) -> list[Manifest]:
        """Raises Terminal: what kustomize says, RENDER_LIMIT, DUPLICATE_OBJECT."""
        folder = f"./{scan.folder}"
        argv = [*tool.command, "build"] if tool.name == self.name else [*tool.command, "kustomize"]
        try:
            text = run.tool(tool, [*argv, "--load-restrictor=LoadRestrictionsRootOnly", folder], network=scan.network)
        except Terminal as error:
            raise _explained(error, scan, run.tree_folder) from error
        places = kustomize_origins.places(run.tree_folder, scan.resources)
        kustomization = next(path for path in _kustomizations(scan.folder) if path in scan.files)
        (name, documents), *_ = self._readers.read([(f"{kustomization}{AS_RENDERED}", text)])
        found = manifests.manifests(name, documents)
        return [Manifest(each.document, kustomize_origins.origin(each, places, kustomization)) for each in found]

    def references(self, tree: Tree, entry: Entry) -> References:
        """What a kustomization file names; remembered by the content of the file."""
        with self._guard:
            if entry.oid in self._parsed:
                self._parsed.move_to_end(entry.oid)
                return self._parsed[entry.oid]
        text = tree.read(entry.path, self._limits.file)
        (_, documents), *_ = self._readers.read([(entry.path, text)])
        found = references(documents[0].value) if documents else References()
        with self._guard:
            self._parsed[entry.oid] = found
            if len(self._parsed) > _PARSED:
                self._parsed.popitem(last=False)
        return found

    def refuse_remote(self, place: str, path: str) -> None:
        if not self._allow_remote:
            raise Terminal(
                Reason.RENDER_FAILED,
                f"{place} names {without_credentials(path)}, which is not in this repository; remote bases are not "
                f"allowed: they change without a commit here.\n"
                f"Copy what it holds into the repository (`kustomize localize` does it), or let who runs Dispatch "
                f"allow remote bases.",
            )


class _Walk:
    """One scan, from kustomization to kustomization."""

    def __init__(self, kustomize: Kustomize, reading: Reading) -> None:
        self._kustomize = kustomize
        self._reading = reading
        self._done: set[str] = set()

    def root(self, folder: str, chain: tuple[str, ...], place: str) -> None:
        """Everything below one kustomization. `chain` is how it was reached, `place` the entry that names it."""
        if any(_within(visited, folder) for visited in chain):
            way = " -> ".join(step or "." for step in (*chain, folder))
            raise _failed(f"{place or folder} makes a circle, or names a folder above its own: {way}")
        if folder in self._done:
            return
        entry = self._kustomization(folder, place)
        found = self._kustomize.references(self._reading.tree, entry)
        if found.charts:
            raise _failed(
                f"{entry.path}: {found.charts} asks kustomize to run Helm, which fetches charts by the network.\n"
                f"Render the chart by an Application of its own (`render: {{helm: ...}}`), or commit what it renders."
            )
        if found.whole_folder:
            self._take_all(folder)
        for reference in found.found:
            self._follow(reference, folder, entry.path, (*chain, folder))
        self._done.add(folder)

    def _kustomization(self, folder: str, place: str) -> Entry:
        paths = _kustomizations(folder)
        entries = [entry for path in paths if isinstance(entry := self._reading.look(path), Entry)]
        if not entries:
            shown = folder or "the root of the repository"
            named = f"{place} names {shown}, which" if place else shown
            raise _failed(f"{named} has no kustomization.yaml (nor kustomization.yml, nor Kustomization)")
        if len(entries) > 1:
            raise _failed(
                f"{' and '.join(entry.path for entry in entries)}: a folder has one kustomization; remove one"
            )
        return self._reading.take(entries[0])

    def _take_all(self, folder: str) -> None:
        # A link that is really needed is then missing where kustomize runs, and it says so.
        files = self._reading.tree.files(folder)
        self._reading.take_folder(folder, [entry for entry in files if entry.mode not in (LINK, SUBMODULE)])

    def _follow(self, reference: Reference, folder: str, file: str, chain: tuple[str, ...]) -> None:
        place = f"{file}: {reference.field}"
        if is_remote(reference.path):
            self._kustomize.refuse_remote(place, reference.path)
            self._reading.scan.network = True
            return
        path = joined(folder, reference.path)
        if path is None:
            raise _failed(f"{place} names {reference.path}, which leaves the repository")
        found = self._reading.look(path)
        if found is None:
            raise _failed(f"{place} names {reference.path}, and there is no {path}")
        if isinstance(found, Entry):
            if reference.wants is Wants.ROOT:
                raise _failed(f"{place} names the file {path}; it must be {reference.wants.value}")
            self._reading.take(found)
            if reference.wants is Wants.EITHER:
                self._reading.scan.resources.append(path)
        elif reference.wants is Wants.FILE:
            raise _failed(f"{place} names the folder {path or '.'}; it must be {reference.wants.value}")
        else:
            self.root(path, chain, place)


def _kustomizations(folder: str) -> list[str]:
    return [f"{folder}/{name}".lstrip("/") for name in NAMES]


def _within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _failed(message: str) -> Terminal:
    return Terminal(Reason.RENDER_FAILED, message)


def _explained(error: Terminal, scan: Scan, folder: Path) -> Terminal:
    """The tool's error, under the reason that it has in every renderer."""
    if error.reason is not Reason.RENDER_FAILED:
        return error
    if "kustomization.yaml is empty" in error.message:
        return Terminal(Reason.RENDER_EMPTY, f"{error.message}\nName at least one resource.")
    twice = kustomize_origins.registered_twice(error.message)
    if twice is None:
        return error
    places = kustomize_origins.defining(folder, scan.resources, *twice)
    shown: Sequence[str] = [str(place) for place in places]
    if len(shown) < 2:
        return Terminal(Reason.DUPLICATE_OBJECT, error.message)
    return manifests.duplicate("/".join(twice), shown[0], shown[1])
