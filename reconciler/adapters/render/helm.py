"""`helm template` of a chart in the repository, offline: what its dependencies need must be in the repository too."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from reconciler.adapters.render.documents.pool import Readers
from reconciler.adapters.render.helm_dependencies import Dependency, dependencies, vendored
from reconciler.adapters.render.limits import Limits
from reconciler.adapters.render.manifests import manifests
from reconciler.adapters.render.output import AS_RENDERED
from reconciler.adapters.render.scan import Reading, Scan, joined
from reconciler.adapters.render.tool import Run, Tool
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.render import HelmRender
from reconciler.ports import Entry, RenderRequest, Tree

_SOURCE = re.compile(rb"^---\n# Source: (.+)\n", re.MULTILINE)


class Capabilities(NamedTuple):
    """What a chart is told of the cluster. Empty: what Helm was built with."""

    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


class Helm:
    name = "helm"

    def __init__(self, readers: Readers, limits: Limits, capabilities: Capabilities) -> None:
        self._readers = readers
        self._limits = limits
        self._capabilities = capabilities

    def scan(self, tree: Tree, request: RenderRequest, folder: str) -> Scan:
        """The chart, its value files, and the charts that it takes from other folders. Raises Terminal."""
        options = request.render.helm or HelmRender()
        scan = Scan(self.name, folder)
        reading = Reading(tree, scan, self._limits)
        self._chart(reading, folder, folder, ())
        value_files = [self._value_file(reading, folder, index, path) for index, path in enumerate(options.value_files)]
        scan.options = {
            "folder": folder,
            "release": options.release_name or request.name,
            "namespace": request.namespace,
            "value_files": value_files,
            "values": options.values,
            "include_crds": options.include_crds,
            "capabilities": self._capabilities,
        }
        return scan

    def _chart(self, reading: Reading, folder: str, destination: str, chain: tuple[str, ...]) -> None:
        """One chart folder, which will stand at `destination` when Helm runs."""
        files = list(reading.tree.files(folder))
        if not any(entry.path == f"{folder}/Chart.yaml".lstrip("/") for entry in files):
            raise _failed(f"{folder or 'the root of the repository'} has no Chart.yaml: it is no Helm chart")
        contents = reading.take_folder(folder, files)
        by_path = {entry.path: content for entry, content in zip(files, contents, strict=True)}
        description = by_path[f"{folder}/Chart.yaml".lstrip("/")]
        wanted = dependencies(self._yaml(reading.tree, description), self._requirements(reading.tree, folder, by_path))
        missing = [each for each in wanted if not vendored(folder, each, by_path, self._name_in(reading.tree))]
        for name, dependency in {each.name: each for each in missing}.items():
            source = self._local(dependency, description.path, folder, chain)
            placed = f"{destination}/charts/{name}".lstrip("/")
            reading.scan.placements.append((source, placed))
            self._chart(reading, source, placed, (*chain, folder))

    def _local(self, dependency: Dependency, place: str, folder: str, chain: tuple[str, ...]) -> str:
        """The folder of a `file://` dependency."""
        what = f"{place}: the dependency {dependency.name}"
        if not dependency.repository.startswith("file://"):
            raise _failed(
                f"{what} is not in {folder or '.'}/charts, and charts are not fetched from the network.\n"
                f"Run `helm dependency update {folder or '.'}` and commit the charts folder."
            )
        path = joined(folder, dependency.repository.removeprefix("file://"))
        if path is None:
            raise _failed(f"{what} is at {dependency.repository}, which leaves the repository")
        if any(not path or visited == path or visited.startswith(f"{path}/") for visited in (*chain, folder)):
            raise _failed(f"{what} is at {dependency.repository}: the chart would contain itself")
        return path

    def _requirements(self, tree: Tree, folder: str, by_path: dict[str, Entry]) -> Any:
        entry = by_path.get(f"{folder}/requirements.yaml".lstrip("/"))
        return self._yaml(tree, entry) if entry else None

    def _name_in(self, tree: Tree) -> Callable[[Entry], str]:
        def name_of(entry: Entry) -> str:
            value = self._yaml(tree, entry)
            return str(value.get("name", "")) if isinstance(value, dict) else ""

        return name_of

    def _yaml(self, tree: Tree, entry: Entry) -> Any:
        (_, documents), *_ = self._readers.read([(entry.path, tree.read(entry.path, self._limits.file))])
        return documents[0].value if documents else None

    def _value_file(self, reading: Reading, folder: str, index: int, path: str) -> str:
        place = f"render.helm.valueFiles[{index}]"
        found = joined("", path.lstrip("/")) if path.startswith("/") else joined(folder, path)
        if found is None:
            raise _failed(f"{place} is {path}, which leaves the repository")
        entry = reading.look(found)
        if not isinstance(entry, Entry):
            what = "it is a folder" if entry else f"there is no {found}"
            raise _failed(f"{place} is {path}, and {what}")
        reading.take(entry)
        return found

    def run(self, run: Run, scan: Scan, tool: Tool) -> list[Manifest]:
        """Raises Terminal: what Helm says, RENDER_LIMIT, INVALID_MANIFEST with the template."""
        for source, placed in scan.placements:
            shutil.copytree(run.tree_folder / source, run.tree_folder / placed, dirs_exist_ok=True)
        text = run.tool(tool, [*tool.command, *self._arguments(run, scan.options)])
        return list(self._manifests(text, scan.folder))

    def _arguments(self, run: Run, options: dict[str, Any]) -> list[str]:
        arguments = ["template", f"--namespace={options['namespace']}"]
        if options["include_crds"]:
            arguments.append("--include-crds")
        for path in options["value_files"]:
            arguments.append(f"--values={_quoted(f'./{path}')}")
        if options["values"]:
            # Never on the command line, which every user of the machine can read.
            inline = run.home / "values.json"
            inline.write_text(json.dumps(options["values"]), encoding="utf-8")
            arguments.append(f"--values={_quoted(str(inline))}")
        kube_version, api_versions = options["capabilities"]
        if kube_version:
            arguments.append(f"--kube-version={kube_version}")
        arguments += [f"--api-versions={_quoted(version)}" for version in api_versions]
        return [*arguments, "--", options["release"], f"./{options['folder']}"]

    def _manifests(self, text: bytes, folder: str) -> Iterator[Manifest]:
        """Helm writes the template's name over each document."""
        for file, documents in self._readers.read(_templates(text, folder)):
            for manifest in manifests(file, documents):
                place = manifest.origin._replace(file=file.removesuffix(AS_RENDERED), line=0)
                yield Manifest(manifest.document, place)


def _templates(text: bytes, folder: str) -> Iterator[tuple[str, bytes]]:
    marks = list(_SOURCE.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    if not marks:
        yield f"{folder}/templates{AS_RENDERED}".lstrip("/"), text
    for mark, end in zip(marks, ends, strict=False):
        # `<name of the chart>/templates/...`, wherever the chart's folder is.
        inside = mark[1].decode("utf-8", "replace").partition("/")[2]
        yield f"{folder}/{inside}{AS_RENDERED}".lstrip("/"), text[mark.end() : end]


def _quoted(value: str) -> str:
    """One value of an option that takes many, separated by commas (pflag's StringSlice reads CSV): a comma in the name
    of a file must not name a second file."""
    return '"' + value.replace('"', '""') + '"'


def _failed(message: str) -> Terminal:
    return Terminal(Reason.RENDER_FAILED, message)
