"""What `dispatch run` runs: the election, the controller once it is won, and the answers over HTTP all the while."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import click

from reconciler import app
from reconciler.model.outcome import StageError, Transient
from reconciler.model.rollout import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.adapters.kube import KubeCluster
    from reconciler.engine.controller import Controller
    from reconciler.engine.git_hooks import Receiving
    from reconciler.engine.leader import Leader
    from reconciler.web.server import Gatehouse

log = logging.getLogger(__name__)

_WITHIN = 6.0
"""Seconds that the runs under way have, of the ten in which a stop is done."""


class Counter:
    """What is answered over HTTP: by the controller, once there is one that works."""

    def __init__(self, leader: Leader | None) -> None:
        self._leader = leader
        self.controller: Controller | None = None

    def gate(self, namespace: str, rollout: str, pod_hash: str, step: int) -> tuple[Verdict, str]:
        """Only who works knows; a step that asked somebody else stays where it is."""
        working = self._working()
        if working is None:
            return Verdict.WAIT, f"this controller {self.standing() or 'starts'}"
        return working.gate(namespace, rollout, pod_hash, step)

    def hook(self, namespace: str, feed: str, body: bytes, signature: str) -> int:
        working = self._working()
        return working.hook(namespace, feed, body, signature) if working is not None else 503

    def git_hook(self, namespace: str, repository: str, headers: Mapping[str, str]) -> Receiving | int:
        working = self._working()
        return working.git_hook(namespace, repository, headers) if working is not None else 503

    def ready(self) -> bool:
        """False for one that stands by, so that a Service leads to the one that works."""
        working = self._working()
        return working is not None and working.ready()

    def standing(self) -> str:
        return self._leader.standing() if self._leader is not None else ""

    def _working(self) -> Controller | None:
        """The controller; None before it has started, and while this process does not lead."""
        return self.controller if self._leader is None or self._leader.leads() else None


def serve(settings: app.Settings, gates: Gatehouse | None, stop: threading.Event) -> None:
    """Until `stop` is set. Raises what ended it before; SystemExit(1) for a controller that must not work any more."""
    failures: list[StageError] = []

    def failed(error: StageError) -> None:
        failures.append(error)
        stop.set()

    election = app.connect_for_lease(settings) if settings.election else None
    leader = app.open_leader(settings, election) if election is not None else None
    counter = Counter(leader)
    if gates:
        gates.start(counter.gate, counter.ready, counter.hook, counter.standing, counter.git_hook)
    ended = False
    try:
        ended = not _elected(leader, stop, failed) or _work(settings, leader, counter, stop, failed)
    finally:
        # Last, so that a gate is answered as long as there is somebody who knows the answer.
        if gates:
            gates.stop()
        if leader is not None and election is not None:
            leader.stop(give_back=ended)
            election.close()
    if failures:
        _end(failures[0])


def _elected(leader: Leader | None, stop: threading.Event, failed: Callable[[StageError], None]) -> bool:
    """Wait until this controller may work; False when told to stop before."""
    if leader is None:
        return True
    turn = threading.Event()
    leader.start(turn.set, failed)
    while not turn.wait(0.1):
        if stop.is_set():
            return False
    return True


def _work(
    settings: app.Settings,
    leader: Leader | None,
    counter: Counter,
    stop: threading.Event,
    failed: Callable[[StageError], None],
) -> bool:
    """Run the controller until `stop`; True when nothing that it began is under way any more."""
    cluster = app.connect(settings, leader)
    version = _version(cluster, stop)
    if version is None:
        cluster.close()
        return True
    source, renderer = app.open_source(settings, leader), app.open_renderer(settings, version)
    controller = app.build_controller(settings, source, renderer, cluster, leader)
    controller.start(failed)
    counter.controller = controller
    stop.wait()
    ended = controller.stop(within=_WITHIN)
    if not ended:
        log.warning("stopped in the middle of a run; the next start takes it up again")
    for part in (renderer, source, cluster):
        part.close()
    return ended


def _version(cluster: KubeCluster, stop: threading.Event) -> str | None:
    """The server's version, which charts ask for; a server that is not up yet is waited for. None when told to stop."""
    while not stop.is_set():
        try:
            return cluster.version()
        except Transient as error:
            log.warning("waiting for the API server", extra={"why": error.message})
            stop.wait(2.0)
    return None


def _end(error: StageError) -> None:
    from reconciler.engine.leader import Deposed

    if isinstance(error, Deposed):
        click.echo(f"error: {error.message}", err=True)
        raise SystemExit(1)
    raise error
