"""The renderer: picks one by what is there, finds what it reads, and runs it only when that has changed."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.adapters.process import Leash
from reconciler.adapters.render.disk import Disk, private_folder
from reconciler.adapters.render.documents.pool import Readers
from reconciler.adapters.render.helm import Capabilities, Helm
from reconciler.adapters.render.kustomization import NAMES
from reconciler.adapters.render.kustomize import Kustomize
from reconciler.adapters.render.limits import Limits
from reconciler.adapters.render.manifests import digest, refuse_duplicates, split_hooks
from reconciler.adapters.render.memory import Latest, Memory
from reconciler.adapters.render.output import Output
from reconciler.adapters.render.plain import Plain
from reconciler.adapters.render.scan import Scan
from reconciler.adapters.render.scan import folder as folder_of
from reconciler.adapters.render.scratch import Scratch
from reconciler.adapters.render.tool import Lookup, Run, Tool, Toolbox
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rendered import ReadSet, Rendered
from reconciler.ports import RenderRequest, Tree

# Part of every key: a change of how text becomes objects makes all earlier renders strangers.
_FORMAT = 3


class RenderEngine:
    """Implements ports.Renderer. `close` ends its children and removes its private folders."""

    def __init__(
        self,
        cache: Path,
        *,
        tools: Lookup,
        allow_remote_bases: bool = False,
        limits: Limits | None = None,
        kube_version: str = "",
        api_versions: Sequence[str] = (),
    ) -> None:
        self._limits = limits or Limits()
        private_folder(cache)
        self._disk = Disk(private_folder(cache / "rendered"))
        self._scratch = Scratch(cache / "private")
        self._toolbox = Toolbox(tools, cache / "tool-versions.json")
        self._memory = Memory()
        self._leash = Leash()
        self._turns = threading.BoundedSemaphore(self._limits.parallel)
        self._readers = Readers(self._limits)
        self._plain = Plain(self._readers, self._limits)
        self._kustomize = Kustomize(self._readers, self._limits, allow_remote_bases=allow_remote_bases)
        self._helm = Helm(self._readers, self._limits, Capabilities(kube_version, tuple(api_versions)))

    def read_set(self, tree: Tree, request: RenderRequest) -> ReadSet:
        """See ports.Renderer."""
        return self._scan(tree, request).read_set

    def render(self, tree: Tree, request: RenderRequest) -> Rendered:
        """See ports.Renderer."""
        asked = _identity(request)
        known = self._unchanged(tree, asked)
        if known is not None:
            return known
        scan = self._scan(tree, request)
        tool = None if scan.renderer == self._plain.name else self._toolbox.find(scan.renderer)
        key = _key(scan, tool)
        rendered = self._memory.get(key)
        size = 0
        if rendered is None:
            output, output_digest = self._disk.get(key) or self._run(tree, scan, tool, key)
            title = tool.title if tool else self._plain.name
            objects = tuple(output.manifests)
            rendered = Rendered(objects, output_digest, key, scan.read_set, title, tuple(output.hooks))
            size = sum(len(json.dumps(manifest.document)) for manifest in objects)
        rendered = replace(rendered, read_set=scan.read_set)
        self._memory.put(asked, Latest(key, rendered.read_set, tool), rendered, size)
        return rendered

    def interrupt(self) -> None:
        """End the tools that run, and from now on each new one: those renders raise Blocked(PROGRESSING)."""
        self._leash.pull(within=0.0)

    def close(self) -> None:
        self._leash.pull(within=2.0)
        self._readers.close()
        self._scratch.close()

    def _unchanged(self, tree: Tree, asked: object) -> Rendered | None:
        """What the request gave last, where nothing that it read has changed: look-ups only."""
        latest = self._memory.latest(asked)
        if latest is None or (latest.tool is not None and latest.tool.changed()):
            return None
        if any(tree.oid(path) != oid for path, oid in latest.read_set.oids.items()):
            return None
        rendered = self._memory.get(latest.key)
        if rendered is None or rendered.read_set is latest.read_set:
            return rendered
        return replace(rendered, read_set=latest.read_set)

    def _scan(self, tree: Tree, request: RenderRequest) -> Scan:
        folder = folder_of(tree, request.path)
        render = request.render
        if render.plain is not None:
            return self._plain.scan(tree, request, folder)
        if render.kustomize is not None:
            return self._kustomize.scan(tree, request, folder)
        if render.helm is not None:
            return self._helm.scan(tree, request, folder)
        return self._detected(tree, request, folder)

    def _detected(self, tree: Tree, request: RenderRequest, folder: str) -> Scan:
        """By what is in the folder: a kustomization, else a chart, else plain files.

        What is looked for and absent needs no record of its own: the read set of a chart and of a plain folder holds
        the folder's own id, that of a kustomization all names that one can have.
        """

        def there(name: str) -> bool:
            return tree.oid(f"{folder}/{name}".lstrip("/")) is not None

        if any(there(name) for name in NAMES):
            return self._kustomize.scan(tree, request, folder)
        if there("Chart.yaml"):
            return self._helm.scan(tree, request, folder)
        return self._plain.scan(tree, request, folder)

    def _run(self, tree: Tree, scan: Scan, tool: Tool | None, key: str) -> tuple[Output, str]:
        if tool is None:
            made = self._plain.run(tree, scan)
        else:
            with self._turns, self._scratch.folder() as folder:
                run = Run(folder, self._limits, scan.folder, self._leash)
                run.home.mkdir()
                run.tree_folder.mkdir()
                tree.export({scan.links.get(path, path) for path in scan.files}, run.tree_folder)
                run.link(scan.links)
                renderer = self._helm if scan.renderer == self._helm.name else self._kustomize
                made = renderer.run(run, scan, tool)
        output = Output(*split_hooks(made))
        if not output.manifests:
            raise Terminal(Reason.RENDER_EMPTY, _empty(scan, output.hooks))
        refuse_duplicates(output.manifests)
        output_digest = digest(output.manifests)
        self._disk.put(key, output, output_digest)
        return output, output_digest


def _identity(request: RenderRequest) -> tuple[str, ...]:
    return request.path, request.name, request.namespace, request.render.model_dump_json()


def _key(scan: Scan, tool: Tool | None) -> str:
    """The name of a render: everything that its result depends on."""
    files: list[Any] = sorted((entry.path, entry.oid, entry.mode) for entry in scan.files.values())
    title = tool.title if tool else ""
    named = json.dumps(
        [_FORMAT, scan.renderer, title, scan.options, files, scan.links], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(named.encode()).hexdigest()


def _empty(scan: Scan, hooks: Sequence[str]) -> str:
    place = scan.folder or "the root of the repository"
    if hooks:
        return f"{place} renders hooks only: {', '.join(hooks)}. Nothing is changed or deleted."
    if scan.renderer == "plain":
        return f"{place} has no object: no .yaml, .yml or .json file with content. Nothing is changed or deleted."
    return f"{scan.renderer} renders nothing from {place}. Nothing is changed or deleted."
