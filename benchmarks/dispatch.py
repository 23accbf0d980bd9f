"""Dispatch as its users run it: `dispatch run` as a child process, with a fresh cache."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import reconciler
from benchmarks.contender import Failed, log_tail
from benchmarks.server import MERGE, Server
from benchmarks.watching import Watching, condition
from benchmarks.workload import Load, Repository
from reconciler.model.resource import API_VERSION

_ROOT = f"/apis/{API_VERSION}"
_COMMAND = str(Path(sys.executable).with_name("dispatch"))
_REPOSITORY = "config"


class Dispatch:
    """`folder` holds its cache and its log."""

    name = "dispatch"
    group = "dispatch.dev"
    version = reconciler.__version__

    def __init__(self, server: Server, kubeconfig: Path, folder: Path, options: tuple[str, ...] = ()) -> None:
        self._server = server
        self._kubeconfig = kubeconfig
        self._folder = folder
        self._options = ("--allow-file-repositories", *options)
        self._child: subprocess.Popen[bytes] | None = None
        self._log = folder / "dispatch.log"
        self._keys: list[tuple[str, str]] = []
        self._namespace = ""

    @property
    def flags(self) -> str:
        return " ".join(self._options)

    @property
    def pids(self) -> list[int]:
        return [self._child.pid] if self._child else []

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        kubeconfig = ["--kubeconfig", str(self._kubeconfig)]
        subprocess.run([_COMMAND, "install", *kubeconfig], check=True, capture_output=True, timeout=60)
        command = [_COMMAND, "run", *kubeconfig, "--listen", "", "--cache", str(self._folder / "cache"), *self._options]
        with self._log.open("ab") as log:
            self._child = _spawn(command, log)
        self._applications = Watching(self._server, f"{_ROOT}/applications")
        self._repositories = Watching(self._server, f"{_ROOT}/repositories")

    def stop(self) -> None:
        if self._child is None:
            return
        self._applications.stop()
        self._repositories.stop()
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child = None

    def prepare(self, load: Load, repository: Repository, namespace: str, commit: str) -> None:
        self._namespace = namespace
        self._keys = [(namespace, name) for name in load.names]
        self._applications.forget()
        self._repositories.forget()
        # Asked by hand only, so that no poll falls into a measured time.
        spec: dict[str, Any] = {"url": f"file://{repository.bare}", "interval": "1h"}
        self._server.request("POST", self._path("repositories"), _document("Repository", _REPOSITORY, spec))
        documents = [
            _document("Application", name, {"source": {"repository": _REPOSITORY, "path": f"apps/{name}"}})
            for name in load.names
        ]
        self._server.each(("POST", self._path("applications"), each, "application/json") for each in documents)
        self.ready(commit, 120)

    def deliver(self, commit: str) -> float:
        note = {"metadata": {"annotations": {"dispatch.dev/look": commit}}}
        now = time.monotonic()
        self._server.request("PATCH", f"{self._path('repositories')}/{_REPOSITORY}", note, MERGE)
        return now

    def ready(self, commit: str, within: float) -> tuple[float, float]:
        seen = self._seen(commit, within)
        done = self._applications.until(self._keys, lambda document: _is_ready(document, commit), within)
        if done is None:
            late = [key for key in self._keys if not _is_ready(self._applications.last(key), commit)]
            state = self._applications.last(late[0]).get("status")
            raise Failed(f"{len(late)} applications not Ready within {within} s; {late[0]}: {state}\n{self._said()}")
        return seen, done

    def idle(self, commit: str, within: float) -> float:
        """Nothing is written where nothing changes: it has dealt with the commit when its CPU rests."""
        seen = self._seen(commit, within)
        time.sleep(1.0)
        return seen

    def clean(self) -> None:
        for plural in ("applications", "repositories"):
            self._server.request("DELETE", self._path(plural))

    def _seen(self, commit: str, within: float) -> float:
        key = (self._namespace, _REPOSITORY)
        seen = self._repositories.until([key], lambda document: _revision(document).endswith(commit), within)
        if seen is None:
            state = self._repositories.last(key).get("status")
            raise Failed(f"the commit is not seen within {within} s: {state}\n{self._said()}")
        return seen

    def _said(self) -> str:
        return log_tail(self._log)

    def _path(self, plural: str) -> str:
        return f"{_ROOT}/namespaces/{self._namespace}/{plural}"


def _spawn(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _revision(document: dict[str, Any]) -> str:
    return str((document.get("status") or {}).get("revision") or "")


def _is_ready(document: dict[str, Any], commit: str) -> bool:
    applied = ((document.get("status") or {}).get("applied") or {}).get("revision") or ""
    return applied.endswith(commit) and condition(document, "Ready") == "True"
