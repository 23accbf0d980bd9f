"""One run: the same commits, in a fresh namespace, for the floor or for a contender."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.contender import Contender
from benchmarks.floor import floor
from benchmarks.server import Server
from benchmarks.usage import usage
from benchmarks.workload import Load, Repository

STEPS = {
    "create": "a commit that adds every object",
    "change": "a commit that changes every object",
    "unchanged": "a commit that changes none of them",
}
WITHIN = 300.0
"""Seconds that a contender gets for one step."""


@dataclass
class Sample:
    """One step of one run.

    `seconds`: from the moment at which it was told of the commit until all was Ready. `seen`: the same from the moment
    at which others could see that it knows the commit. `cpu`: its own CPU seconds. `server_cpu`: those of the API
    server and etcd. `requests`: what the API server answered meanwhile, by reads, dry-runs and writes.
    """

    seconds: float
    seen: float = 0.0
    cpu: float = 0.0
    server_cpu: float = 0.0
    requests: dict[str, int] = field(default_factory=dict)


class Meter:
    """What is used between two looks."""

    def __init__(self, server: Server, pids: list[int], group: str) -> None:
        self._server, self._pids, self._group = server, pids, group
        self._asked = server.counts(group)
        self._used, self._served = usage(pids).cpu, usage(server.pids).cpu

    def read(self, seconds: float, seen: float = 0.0) -> Sample:
        used, served = usage(self._pids).cpu - self._used, usage(self._server.pids).cpu - self._served
        return Sample(seconds, seen, used, served, dict(self._server.counts(self._group) - self._asked))


def run_floor(server: Server, load: Load) -> dict[str, Sample]:
    """The floor has no commit that changes nothing: it would send nothing."""
    namespace = fresh_namespace(server, "floor")
    samples = {}
    try:
        for step in ("create", "change"):
            meter, used = Meter(server, [], ""), time.process_time()
            sample = samples[step] = meter.read(floor(server, load, namespace, step))
            sample.cpu = time.process_time() - used
    finally:
        empty(server, namespace)
    return samples


def run_contender(server: Server, contender: Contender, load: Load, folder: Path) -> dict[str, Sample]:
    namespace = fresh_namespace(server, contender.name)
    repository = Repository(folder / namespace, load)
    contender.prepare(load, repository, namespace, repository.seed())
    try:
        return {
            "create": _step(server, contender, repository.deliver("1")),
            "change": _step(server, contender, repository.deliver("2")),
            "unchanged": _step(server, contender, repository.elsewhere("news"), changes=False),
        }
    finally:
        contender.clean()
        empty(server, namespace)


def _step(server: Server, contender: Contender, commit: str, changes: bool = True) -> Sample:
    meter = Meter(server, contender.pids, contender.group)
    told = contender.deliver(commit)
    if changes:
        seen, done = contender.ready(commit, WITHIN)
    else:
        seen = done = contender.idle(commit, WITHIN)
    return meter.read(done - told, done - seen)


def fresh_namespace(server: Server, of: str) -> str:
    name = f"bench-{of}-{secrets.token_hex(3)}"
    server.namespace(name)
    return name


def empty(server: Server, namespace: str) -> None:
    """No controller manager runs here, so a namespace is never deleted: what is in it is."""
    server.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps")
    time.sleep(0.3)
