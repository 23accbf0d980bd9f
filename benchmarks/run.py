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

STEPS = ("create", "change", "unchanged")
"""A commit that adds every object; one that changes every object; one that changes none of them."""


@dataclass
class Sample:
    """Seconds of one step: from the moment it was told until all is Ready; from the moment at which the commit was
    seen to be known; its CPU seconds; and the requests that the API server answered meanwhile."""

    seconds: float
    seen: float = 0.0
    cpu: float = 0.0
    requests: dict[str, int] = field(default_factory=dict)


def fresh_namespace(server: Server, of: str) -> str:
    name = f"bench-{of}-{secrets.token_hex(3)}"
    server.namespace(name)
    return name


def run_floor(server: Server, load: Load) -> dict[str, Sample]:
    namespace = fresh_namespace(server, "floor")
    try:
        return {step: Sample(floor(server, load, namespace, step)) for step in ("create", "change")}
    finally:
        _empty(server, namespace)


def run_contender(
    server: Server, contender: Contender, load: Load, folder: Path, group: str, within: float
) -> dict[str, Sample]:
    """`group` is that of the contender's own kinds, whose requests are counted too."""
    namespace = fresh_namespace(server, contender.name)
    repository = Repository(folder / namespace, load)
    contender.prepare(load, repository, namespace, repository.seed())
    try:
        return {
            "create": _step(server, contender, repository.deliver("1"), group, within),
            "change": _step(server, contender, repository.deliver("2"), group, within),
            "unchanged": _step(server, contender, repository.elsewhere("news"), group, within, changes=False),
        }
    finally:
        contender.clean()
        _empty(server, namespace)


def _step(server: Server, contender: Contender, commit: str, group: str, within: float, changes: bool = True) -> Sample:
    asked, used = server.counts(group), usage(contender.pids).cpu
    told = contender.deliver(commit)
    if changes:
        seen, done = contender.ready(commit, within)
    else:
        seen = done = contender.idle(commit, within)
    spent = usage(contender.pids).cpu - used
    return Sample(done - told, done - seen, spent, dict(server.counts(group) - asked))


def _empty(server: Server, namespace: str) -> None:
    server.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps")
    time.sleep(0.2)
