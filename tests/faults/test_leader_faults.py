"""Two controllers of one Lease, killed, told to stop, frozen and cut off: one works, and what is lost is taken over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import urllib3
from controller_fixtures import administrator
from lone_controller import process
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import Team, config_map, eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.leading import Terms
from reconciler.engine.leader import LEASE
from reconciler.sandbox.platform import Part, Sandbox

TERMS = Terms()
SLACK = 10.0
"""Seconds that a busy machine may add to a wait."""


class Running(NamedTuple):
    """One controller that takes part in the election."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def lines(self) -> list[dict[str, str]]:
        text = (self.folder / "controller.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def why(self, message: str) -> str:
        """What a line of the log says about its message; empty while it is not there."""
        return next((line["why"] for line in self.lines if line["message"] == message), "")

    @property
    def name(self) -> str:
        """Its name in the Lease, empty before it has ever led."""
        return self.why("this controller leads").partition(" ")[0]

    def ask(self, path: str) -> tuple[int, str]:
        address = eventually(lambda: self.why("answering gates"), 60).removeprefix("at ")
        answer = urllib3.request("GET", f"http://{address}{path}", retries=False, timeout=5)
        return answer.status, answer.data.decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An API server of this module's own: it is broken and mended here."""
    with Sandbox.start(tmp_path_factory.mktemp("leader-faults"), [Part.APISERVER], print) as sandbox:
        yield sandbox


@pytest.fixture
def lonely(server: Sandbox, tmp_path: Path) -> Iterator[Team]:
    """A team with one application, whose controllers are not running yet."""
    with administrator(server) as cluster:
        team = Team(cluster, Somebody(server), fresh_namespace(server), tmp_path)
        team.push({"web/a.yaml": config_map("a", v="1")})
        team.read_repository()
        team.deploy("web", "web")
        yield team


@contextmanager
def elected(server: Sandbox, team: Team, folder: Path) -> Iterator[Running]:
    folder.mkdir()
    words = ("--leader-elect-namespace", team.namespace, "--log-format", "json")
    with process(server, team, folder / "cache", *words) as running:
        yield Running(running, folder)


def lease(team: Team) -> dict[str, Any]:
    found = team.cluster.read(LEASE, team.namespace, f"dispatch-controller.{team.namespace}") or {}
    return found.get("spec") or {}


def until_leads(team: Team, running: Running, within: float = 60.0) -> float:
    """Wait until it holds the Lease; the moment, by `time.monotonic`."""
    eventually(
        lambda: running.name and lease(team).get("holderIdentity") == running.name, within, lambda: running.lines
    )
    return time.monotonic()


def test_one_that_stands_by_says_so_and_takes_over_when_the_other_is_killed(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    with elected(server, lonely, tmp_path / "one") as one:
        until_leads(lonely, one)
        lonely.until_ready("web")
        eventually(lambda: one.ask("/readyz")[0] == 200)
        assert one.ask("/readyz")[1].startswith("leads: holds the lease ")
        with elected(server, lonely, tmp_path / "two") as two:
            eventually(lambda: one.name in two.ask("/readyz")[1])
            assert two.ask("/healthz") == (200, "ok\n")
            status, words = two.ask("/readyz")
            assert (status, words.startswith("stands by: ")) == (503, True)
            gate = json.loads(two.ask(f"/gates/{lonely.namespace}/web/5d4f8c7b9/1")[1])
            assert gate["verdict"] == "wait" and one.name in gate["why"]

            one.process.kill()
            one.process.wait(10)
            killed = time.monotonic()
            commit = lonely.push({"web/a.yaml": config_map("a", v="2")})
            took = until_leads(lonely, two) - killed
            # The last renewal was at most one try before the end.
            assert TERMS.duration - TERMS.retry - 1.0 <= took <= TERMS.duration + TERMS.retry * 1.2 + SLACK
            lonely.until_ready("web", commit, within=60)
            eventually(lambda: two.ask("/readyz")[0] == 200)
    assert lease(lonely)["leaseTransitions"] == 1


def test_one_that_is_told_to_stop_gives_the_lease_back_and_the_next_one_begins_at_once(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    with elected(server, lonely, tmp_path / "one") as one:
        until_leads(lonely, one)
        lonely.until_ready("web")
        with elected(server, lonely, tmp_path / "two") as two:
            eventually(lambda: one.name in two.ask("/readyz")[1])
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(10) == 0
            ended = time.monotonic()
            assert one.why("the lease is given back")
            assert until_leads(lonely, two) - ended < TERMS.duration - TERMS.retry
            commit = lonely.push({"web/a.yaml": config_map("a", v="2")})
            lonely.until_ready("web", commit, within=60)
            two.process.send_signal(signal.SIGTERM)
            assert two.process.wait(10) == 0
    assert lease(lonely)["holderIdentity"] == ""


def test_one_that_stands_by_stops_when_told_and_takes_nothing(server: Sandbox, lonely: Team, tmp_path: Path) -> None:
    with elected(server, lonely, tmp_path / "one") as one:
        until_leads(lonely, one)
        with elected(server, lonely, tmp_path / "two") as two:
            eventually(lambda: one.name in two.ask("/readyz")[1])
            two.process.send_signal(signal.SIGTERM)
            assert two.process.wait(10) == 0
        assert lease(lonely)["holderIdentity"] == one.name
        assert lease(lonely)["leaseTransitions"] == 0


def test_one_that_was_frozen_past_its_lease_writes_nothing_any_more_and_ends(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    """In the middle of a thousand objects; the one that takes over is somebody who writes nothing, so that whatever is
    written afterwards is the frozen one's."""
    with elected(server, lonely, tmp_path / "one") as one:
        until_leads(lonely, one)
        lonely.until_ready("web")
        lonely.push({f"web/{n}.yaml": config_map(f"c{n}", v=str(n)) for n in range(1000)})
        eventually(lambda: len(written(lonely.cluster, lonely)) > 50, 60)
        os.kill(one.process.pid, signal.SIGSTOP)
        # What it had sent before is still answered.
        before = at_rest(lonely)
        assert len(before) < 1000
        time.sleep(TERMS.deadline)
        take(lonely, "somebody-else")

        os.kill(one.process.pid, signal.SIGCONT)
        assert one.process.wait(30) == 1
        assert written(lonely.cluster, lonely) == before
        assert lease(lonely)["holderIdentity"] == "somebody-else"
    said = (tmp_path / "one" / "controller.log").read_text()
    assert "error: this controller lost the lease" in said


def test_an_api_server_that_hangs_longer_than_the_deadline_ends_the_one_that_leads(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    with elected(server, lonely, tmp_path / "one") as one:
        until_leads(lonely, one)
        lonely.until_ready("web")
        server.pause(Part.APISERVER)
        try:
            eventually(lambda: one.ask("/readyz")[0] == 503, TERMS.deadline + SLACK)
            assert one.process.wait(20) == 1
        finally:
            server.resume(Part.APISERVER)
    said = (tmp_path / "one" / "controller.log").read_text()
    assert "it was not renewed for 10 s (no answer from the API server" in said
    assert "started again it stands by" in said


def test_an_api_server_that_is_away_for_less_is_waited_for(server: Sandbox, lonely: Team, tmp_path: Path) -> None:
    with elected(server, lonely, tmp_path / "one") as one:
        until_leads(lonely, one)
        lonely.until_ready("web")
        server.pause(Part.APISERVER)
        time.sleep(TERMS.deadline / 2 - 1)
        server.resume(Part.APISERVER)
        commit = lonely.push({"web/a.yaml": config_map("a", v="2")})
        lonely.until_ready("web", commit, within=60)
        assert one.process.poll() is None
    assert lease(lonely)["leaseTransitions"] == 0


def written(cluster: KubeCluster, team: Team) -> dict[str, str]:
    """The version of each ConfigMap that Dispatch made, and of the Application."""
    found = {}
    for api_version, kind in (("v1", "ConfigMap"), ("dispatch.dev/v1alpha1", "Application")):
        for item in cluster.listing(team.resource(api_version, kind), team.namespace):
            found[item["metadata"]["name"]] = item["metadata"]["resourceVersion"]
    return found


def at_rest(team: Team) -> dict[str, str]:
    before: dict[str, str] = {}
    while (now := written(team.cluster, team)) != before:
        before = now
        time.sleep(1)
    return before


def take(team: Team, who: str) -> None:
    """The Lease, as a controller would that waited long enough."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": who, "acquireTime": now, "renewTime": now}
    answer = team.cluster.patch(LEASE, team.namespace, f"dispatch-controller.{team.namespace}", {"spec": spec})
    assert isinstance(answer, dict), answer
