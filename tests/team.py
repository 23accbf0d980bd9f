"""A team that uses Dispatch: a namespace, a Git repository and the documents that tie them, on a real API server."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from somebody import Somebody

from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import Refusal, Resource
from reconciler.model.outcome import Transient
from reconciler.model.resource import API_VERSION

Value = TypeVar("Value")


def eventually(
    seen: Callable[[], Value | Literal[False] | None], within: float = 30.0, what: Callable[[], object] | None = None
) -> Value:
    """The first true value of `seen()`; fails after `within` seconds with `what()` (what is there instead)."""
    deadline = time.monotonic() + within
    while not (value := seen()):
        assert time.monotonic() < deadline, f"not seen within {within} s; there is: {what() if what else value}"
        time.sleep(0.02)
    return value


def git(*arguments: str, at: Path) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=at, check=True, capture_output=True, text=True
    ).stdout.strip()


class Team:
    """`repository` is the bare repository that Dispatch reads; `push` replaces files of its main branch.

    The controller lives as long as the session, and looks each second at what a team lets it read: `leave` ends that.
    """

    here: ClassVar[list[Team]] = []
    _LOOKED_AT: ClassVar[tuple[str, ...]] = ("Promotion", "ImageFeed", "Repository")

    def __init__(self, cluster: KubeCluster, somebody: Somebody, namespace: str, folder: Path) -> None:
        self.cluster = cluster
        self.somebody = somebody
        self.namespace = namespace
        self.work = folder / "work"
        self.bare = folder / "config.git"
        self.work.mkdir(parents=True)
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), at=folder)
        git("init", "--quiet", "--initial-branch=main", at=self.work)
        self._laid_out: set[tuple[str, str]] = set()
        Team.here.append(self)

    def leave(self) -> None:
        """Take away what the controller looks at on the clock, unless the API server is gone too."""
        Team.here.remove(self)
        for kind, name in sorted(self._laid_out, key=lambda each: self._LOOKED_AT.index(each[0])):
            with contextlib.suppress(Transient):
                if self.live(API_VERSION, kind, name):
                    self.delete(API_VERSION, kind, name)

    @property
    def url(self) -> str:
        return f"file://{self.bare}"

    def push(self, files: Mapping[str, str | None], message: str = "change", force: bool = False) -> str:
        """Write (or with None remove) files, commit, push; returns the commit."""
        for name, text in files.items():
            path = self.work / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git("add", "--all", at=self.work)
        git("commit", "--quiet", "--allow-empty", "--message", message, at=self.work)
        git("push", "--quiet", *(["--force"] if force else []), str(self.bare), "HEAD:main", at=self.work)
        return git("rev-parse", "HEAD", at=self.work)

    def read_repository(self, name: str = "config", **spec: Any) -> None:
        self.apply(
            {
                "apiVersion": API_VERSION,
                "kind": "Repository",
                "metadata": {"name": name},
                "spec": {"url": self.url, "interval": "1s", **spec},
            }
        )

    def deploy(self, name: str, path: str, **spec: Any) -> None:
        """An Application of the folder `path`, in the team's namespace."""
        source = {"repository": "config", "path": path, **spec.pop("source", {})}
        annotations = spec.pop("annotations", {})
        self.apply(
            {
                "apiVersion": API_VERSION,
                "kind": "Application",
                "metadata": {"name": name, "annotations": annotations},
                "spec": {"source": source, **spec},
            }
        )

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        document = {**document, "metadata": {"namespace": self.namespace, **document["metadata"]}}
        (answer,) = self.cluster.apply([(self.resource(document["apiVersion"], document["kind"]), document)])
        assert not isinstance(answer, Refusal), answer
        if document["apiVersion"] == API_VERSION and document["kind"] in self._LOOKED_AT:
            self._laid_out.add((document["kind"], document["metadata"]["name"]))
        return answer

    def edit(
        self, api_version: str, kind: str, name: str, patch: dict[str, Any], manager: str = "kubectl-edit"
    ) -> None:
        """Change a live object as somebody else would: a merge patch under another field manager."""
        resource = self.resource(api_version, kind)
        self.somebody.edits(resource, self.namespace, name, patch, manager)

    def resource(self, api_version: str, kind: str) -> Resource:
        return eventually(lambda: self.cluster.resource(api_version, kind))

    def live(self, api_version: str, kind: str, name: str) -> dict[str, Any] | None:
        return self.cluster.read(self.resource(api_version, kind), self.namespace, name)

    def gone(self, api_version: str, kind: str, name: str) -> bool:
        found = self.live(api_version, kind, name)
        return found is None or found["metadata"].get("deletionTimestamp") is not None

    def delete(self, api_version: str, kind: str, name: str) -> None:
        found = self.live(api_version, kind, name)
        assert found is not None
        target = (self.resource(api_version, kind), self.namespace, name, found["metadata"]["uid"])
        (answer,) = self.cluster.delete([target])
        assert not isinstance(answer, Refusal), answer

    def status(self, name: str, kind: str = "Application") -> dict[str, Any]:
        found = self.live(API_VERSION, kind, name)
        return (found or {}).get("status") or {}

    def condition(self, name: str, type: str = "Ready", kind: str = "Application") -> dict[str, Any]:
        """The condition, if it speaks of the newest spec; else an empty one."""
        return _condition(self.live(API_VERSION, kind, name) or {}, type)

    def until_ready(self, name: str, commit: str = "", within: float = 30.0) -> dict[str, Any]:
        """Wait until the Application is Ready (at the commit, when one is given); its status."""

        def seen() -> dict[str, Any] | None:
            document = self.live(API_VERSION, "Application", name) or {}
            status: dict[str, Any] = document.get("status") or {}
            applied = (status.get("applied") or {}).get("revision", "")
            ready = _condition(document, "Ready").get("status") == "True"
            return status if ready and applied.endswith(commit) else None

        return eventually(seen, within, lambda: self.status(name))

    def until_reason(self, name: str, reason: str, within: float = 30.0, kind: str = "Application") -> str:
        """Wait until `Ready` has this reason; its message."""
        eventually(
            lambda: self.condition(name, kind=kind).get("reason") == reason,
            within,
            lambda: self.condition(name, kind=kind),
        )
        return str(self.condition(name, kind=kind)["message"])


def _condition(document: dict[str, Any], type: str) -> dict[str, Any]:
    generation = document.get("metadata", {}).get("generation")
    for condition in (document.get("status") or {}).get("conditions") or []:
        if condition["type"] == type and condition["observedGeneration"] == generation:
            found: dict[str, Any] = condition
            return found
    return {}


def unready(text: str) -> str:
    """The same Deployment with pods that never get ready in the sandbox."""
    place = "\n    spec:\n      containers"
    return text.replace(place, f"\n      annotations: {{dispatch.dev/sandbox-pod: unready}}{place}")


def config_map(name: str, **data: str) -> str:
    lines = [f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:"]
    return "\n".join([*lines, *(f"  {key}: {value!r}" for key, value in data.items())]) + "\n"


def deployment(name: str, image: str = "nginx:1.29.3", replicas: int = 1, extra: str = "") -> str:
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
{extra}spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: web
          image: {image}
"""
