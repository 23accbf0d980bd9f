"""What is deployed: applications of ConfigMaps, as folders of one Git repository, and the commits that change them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Load:
    """`applications` folders of `objects` ConfigMaps each, a file for each object."""

    applications: int
    objects: int

    def __str__(self) -> str:
        if self.applications == 1:
            return f"1 application of {self.objects:,} ConfigMaps"
        return f"{self.applications} applications of {self.objects} ConfigMaps"

    @property
    def total(self) -> int:
        return self.applications * self.objects

    @property
    def names(self) -> list[str]:
        return [f"app-{number:03}" for number in range(self.applications)]

    def documents(self, application: str, version: str) -> list[dict[str, Any]]:
        """About 300 bytes each; `version` is in every one."""
        return [config_map(f"{application}-{number:04}", version) for number in range(self.objects)]


def config_map(name: str, version: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}},
        "data": {"version": version, "log.level": "info", "motd": "The quick brown fox jumps over the lazy dog. " * 2},
    }


def as_yaml(document: dict[str, Any]) -> str:
    """Block style, as people write it."""
    metadata, data = document["metadata"], document["data"]
    labels = "".join(f"    {key}: {value}\n" for key, value in metadata["labels"].items())
    values = "".join(f"  {key}: {value!r}\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {metadata['name']}\n  labels:\n{labels}data:\n{values}"


class Repository:
    """A work tree and the bare repository that it is pushed to. Each method commits and pushes; it gives the commit."""

    def __init__(self, folder: Path, load: Load) -> None:
        self._load = load
        self._work = folder / "work"
        self.bare = folder / "config.git"
        self._work.mkdir(parents=True)
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self._git("init", "--quiet", "--initial-branch=main")

    def seed(self) -> str:
        """One ConfigMap in each folder: the applications exist and are Ready before the first measured commit."""
        for name in self._load.names:
            self._write(f"apps/{name}/seed.yaml", as_yaml(config_map(f"{name}-seed", "1")))
        return self._push("seed")

    def deliver(self, version: str) -> str:
        """All objects, each with this version in it."""
        for name in self._load.names:
            for document in self._load.documents(name, version):
                self._write(f"apps/{name}/{document['metadata']['name']}.yaml", as_yaml(document))
        return self._push(f"version {version}")

    def elsewhere(self, text: str) -> str:
        """A change that concerns no application."""
        self._write("README.md", f"{text}\n")
        return self._push("elsewhere")

    def _write(self, path: str, text: str) -> None:
        target = self._work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def _push(self, message: str) -> str:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        self._git("push", "--quiet", str(self.bare), "HEAD:main")
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, "-c", "gc.auto=0", *arguments]
        return subprocess.run(command, cwd=self._work, check=True, capture_output=True, text=True).stdout.strip()
