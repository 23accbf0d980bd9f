"""A repository as a folder, engines with the real tools, and tools that misbehave."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.adapters.git.folder import FolderTree
from reconciler.adapters.render.engine import RenderEngine
from reconciler.model.application import Render
from reconciler.model.outcome import Terminal
from reconciler.model.rendered import Rendered
from reconciler.ports import RenderRequest
from reconciler.sandbox import tools


@functools.cache
def built(name: str) -> Path:
    """The real kustomize or helm."""
    return tools.ensure([name], print)[name]


def real_tools(name: str) -> Path | None:
    return built(name) if name in ("kustomize", "helm") else None


def no_tools(name: str) -> Path | None:
    return None


def fake_tool(folder: Path, name: str, script: str) -> Callable[[str], Path | None]:
    """A look-up that knows one tool: a shell script that tells a version and then does what it is told."""
    path = folder / f"fake-{name}"
    path.write_text(f'#!/bin/sh\ncase "$1" in version) echo v9.9.9; exit;; esac\n{script}\n')
    path.chmod(0o755)
    return lambda asked: path if asked == name else None


class Repository:
    """Files below a folder; `tree` reads them as they are now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def link(self, name: str, target: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    @property
    def tree(self) -> FolderTree:
        return FolderTree(self.root)


def asked(path: str = "app", name: str = "web", namespace: str = "team", **render: Any) -> RenderRequest:
    return RenderRequest(path, Render.model_validate(render), name, namespace)


def refused(engine: RenderEngine, repository: Repository, request: RenderRequest | None = None) -> Terminal:
    """What the engine refuses to render with."""
    with pytest.raises(Terminal) as caught:
        engine.render(repository.tree, request or asked())
    return caught.value


def names(rendered: Rendered) -> list[str]:
    return [str(manifest.id) for manifest in rendered.manifests]


def config_map(name: str, value: str = "1") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: {json.dumps(value)}\n"


def chart(name: str = "web", **fields: Any) -> str:
    return json.dumps({"apiVersion": "v2", "name": name, "version": "1.0.0", **fields})


def kustomization(**fields: Any) -> str:
    return yaml.safe_dump(fields)


def run_directly(*argv: str, cwd: Path) -> bytes:
    """The tool itself, as a person would run it."""
    return subprocess.run(argv, cwd=cwd, capture_output=True, check=True).stdout


def content(rendered: Rendered) -> list[str]:
    """The objects alone, in an order of their own, to be compared."""
    return sorted(json.dumps(manifest.document, sort_keys=True) for manifest in rendered.manifests)


def parsed(text: bytes) -> list[str]:
    """A tool's output by another parser than ours."""
    return sorted(json.dumps(value, sort_keys=True) for value in yaml.safe_load_all(text) if value)
