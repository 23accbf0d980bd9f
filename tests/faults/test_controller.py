"""The controller killed, stopped and cut off: the next run finds everything again from Git and the cluster."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from controller_fixtures import administrator, install_kinds, open_cluster
from lone_controller import in_process, process
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import Team, config_map, eventually

from reconciler.adapters.kube import KubeCluster
from reconciler.core.applyset import PART_OF
from reconciler.sandbox.platform import Part, Sandbox


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An API server of this module's own: it is broken and mended here."""
    with Sandbox.start(tmp_path_factory.mktemp("faults"), [Part.APISERVER], print) as sandbox:
        yield sandbox


@pytest.fixture
def admin(server: Sandbox) -> Iterator[KubeCluster]:
    with administrator(server) as cluster:
        yield cluster


@pytest.fixture
def lonely(server: Sandbox, admin: KubeCluster, tmp_path: Path) -> Team:
    """A team whose controller is not running yet."""
    return Team(admin, Somebody(server), fresh_namespace(server), tmp_path)


def names(team: Team) -> dict[str, dict[str, str]]:
    """What the team's ConfigMaps hold; those of the cluster itself are left out."""
    found = team.cluster.listing(team.resource("v1", "ConfigMap"), team.namespace, PART_OF)
    return {item["metadata"]["name"]: item["data"] for item in found}


FIRST = {
    "web/a.yaml": config_map("a", v="1"),
    "web/b.yaml": config_map("b", v="1"),
    "web/gone.yaml": config_map("gone", v="1"),
}
SECOND = {"web/a.yaml": config_map("a", v="2"), "web/new.yaml": config_map("new", v="1"), "web/gone.yaml": None}
WANTED = {"a": {"v": "2"}, "b": {"v": "1"}, "new": {"v": "1"}}


@pytest.mark.parametrize("writes", range(1, 10))
def test_killed_after_any_write_the_next_start_ends_where_git_says(
    server: Sandbox, lonely: Team, tmp_path: Path, writes: int
) -> None:
    lonely.push(FIRST)
    lonely.read_repository()
    lonely.deploy("web", "web")
    with in_process(server, lonely, tmp_path / "cache"):
        lonely.until_ready("web")
    commit = lonely.push(SECOND)
    with in_process(server, lonely, tmp_path / "cache", writes) as dying:
        eventually(lambda: dying.dead or lonely.status("web")["applied"]["revision"].endswith(commit))
    with in_process(server, lonely, tmp_path / "cache"):
        lonely.until_ready("web", commit)
        eventually(lambda: names(lonely) == WANTED, what=lambda: names(lonely))


@pytest.mark.parametrize("writes", range(1, 8))
def test_killed_after_any_write_of_the_first_deployment_nothing_is_lost(
    server: Sandbox, lonely: Team, tmp_path: Path, writes: int
) -> None:
    commit = lonely.push(FIRST)
    lonely.read_repository()
    lonely.deploy("web", "web")
    with in_process(server, lonely, tmp_path / "cache", writes) as dying:
        eventually(lambda: dying.dead or lonely.condition("web").get("status") == "True")
    lonely.push({"web/gone.yaml": None})
    with in_process(server, lonely, tmp_path / "cache-lost"):
        eventually(lambda: set(names(lonely)) == {"a", "b"}, what=lambda: names(lonely))
    assert commit


def test_kill_9_in_the_middle_of_a_thousand_objects_is_taken_up_again(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    lonely.push({f"web/{n}.yaml": config_map(f"c{n}", v=str(n)) for n in range(1000)})
    lonely.read_repository()
    lonely.deploy("web", "web")
    with process(server, lonely, tmp_path / "cache") as running:
        eventually(lambda: len(names(lonely)) > 50)
        running.kill()
        running.wait(10)
    assert len(names(lonely)) < 1000
    with process(server, lonely, tmp_path / "cache"):
        lonely.until_ready("web", within=60)
    assert len(names(lonely)) == 1000


def test_a_controller_that_starts_before_its_kinds_are_installed_takes_up_work_once_they_are(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "bare", [Part.APISERVER], print) as bare:
        cluster = open_cluster(bare)
        team = Team(cluster, Somebody(bare), fresh_namespace(bare), tmp_path)
        team.push({"web/settings.yaml": config_map("settings", answer="42")})
        with process(bare, team, tmp_path / "cache") as controller:
            time.sleep(3)
            assert controller.poll() is None
            install_kinds(cluster)
            team.read_repository()
            team.deploy("web", "web")
            team.until_ready("web")
        cluster.close()


def test_sigterm_in_the_middle_of_a_thousand_objects_ends_it_within_ten_seconds(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    lonely.push({f"web/{n}.yaml": config_map(f"c{n}", v=str(n)) for n in range(1000)})
    lonely.read_repository()
    lonely.deploy("web", "web")
    with process(server, lonely, tmp_path / "cache") as running:
        eventually(lambda: len(names(lonely)) > 50)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert session_of(running.pid) == []


def test_sigterm_ends_it_in_order_while_a_git_host_and_a_registry_do_not_answer(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        for name in ("one", "two"):
            lonely.read_repository(name, url=f"http://{host}/{name}.git")
        writes = [{"repository": "one", "path": "web"}]
        lonely.apply(
            {
                "apiVersion": "dispatch.dev/v1alpha1",
                "kind": "ImageFeed",
                "metadata": {"name": "web"},
                "spec": {"image": f"{host}/web", "policy": {"semver": "*"}, "writes": writes},
            }
        )
        with process(server, lonely, tmp_path / "cache") as running:
            asked = [silent.accept()[0] for _ in range(3)]
            running.send_signal(signal.SIGTERM)
            assert running.wait(10) == 0
        for connection in asked:
            connection.close()
    assert session_of(running.pid) == []
    assert not any(lonely.status(name, "Repository") for name in ("one", "two"))


def session_of(leader: int) -> list[int]:
    """The processes that are left of a session (proc(5): the sixth field of stat, counted behind the command)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def test_a_restart_with_everything_in_sync_writes_nothing(server: Sandbox, lonely: Team, tmp_path: Path) -> None:
    lonely.push({f"{app}/{n}.yaml": config_map(f"{app}{n}", v=str(n)) for app in ("one", "two") for n in range(20)})
    lonely.read_repository()
    for name in ("one", "two"):
        lonely.deploy(name, name)
    with in_process(server, lonely, tmp_path / "cache"):
        for name in ("one", "two"):
            lonely.until_ready(name)
        quiet(lonely)
    before = versions(lonely)
    with in_process(server, lonely, tmp_path / "other-cache"):
        commit = lonely.push({"three/x.yaml": config_map("x", v="1")})
        lonely.deploy("three", "three")
        lonely.until_ready("three", commit)
        quiet(lonely)
        after = versions(lonely)
    before["Repository", "config"] = after["Repository", "config"]
    assert {name: after.get(name) for name in before} == before


def versions(team: Team) -> dict[tuple[str, str], str]:
    found = {}
    for api_version, kind in (
        ("v1", "ConfigMap"),
        ("dispatch.dev/v1alpha1", "Application"),
        ("dispatch.dev/v1alpha1", "Repository"),
    ):
        for item in team.cluster.listing(team.resource(api_version, kind), team.namespace):
            found[kind, item["metadata"]["name"]] = item["metadata"]["resourceVersion"]
    return found


def quiet(team: Team) -> None:
    """Wait until nothing has been written for a second."""
    last, since = versions(team), time.monotonic()
    deadline = since + 30
    while time.monotonic() - since < 1:
        assert time.monotonic() < deadline, "the controller does not come to rest"
        time.sleep(0.1)
        now = versions(team)
        if now != last:
            last, since = now, time.monotonic()


def test_an_api_server_that_is_restarted_in_the_middle_is_waited_for(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    lonely.push({f"web/{n}.yaml": config_map(f"c{n}", v="1") for n in range(400)})
    lonely.read_repository()
    lonely.deploy("web", "web")
    with process(server, lonely, tmp_path / "cache") as running:
        eventually(lambda: len(names(lonely)) > 20)
        server.restart(Part.APISERVER)
        lonely.until_ready("web", within=60)
        commit = lonely.push({"web/0.yaml": config_map("c0", v="2")})
        lonely.until_ready("web", commit, within=60)
        assert running.poll() is None
    assert len(names(lonely)) == 400


def test_drift_made_while_the_watch_was_cut_is_mended_afterwards(server: Sandbox, lonely: Team, tmp_path: Path) -> None:
    lonely.push({"web/a.yaml": config_map("a", v="git"), "web/b.yaml": config_map("b", v="git")})
    lonely.read_repository()
    lonely.deploy("web", "web")
    with process(server, lonely, tmp_path / "cache") as running:
        lonely.until_ready("web")
        os.kill(running.pid, signal.SIGSTOP)
        lonely.edit("v1", "ConfigMap", "a", {"data": {"v": "by hand"}})
        lonely.delete("v1", "ConfigMap", "b")
        server.restart(Part.APISERVER)
        os.kill(running.pid, signal.SIGCONT)
        eventually(lambda: names(lonely) == {"a": {"v": "git"}, "b": {"v": "git"}}, 60, lambda: names(lonely))


def test_two_writers_of_one_field_end_in_a_truce_that_names_the_other(
    server: Sandbox, lonely: Team, tmp_path: Path
) -> None:
    lonely.push({"web/a.yaml": config_map("a", v="git")})
    lonely.read_repository()
    lonely.deploy("web", "web")
    with in_process(server, lonely, tmp_path / "cache"):
        lonely.until_ready("web")

        def fought() -> bool:
            if (lonely.live("v1", "ConfigMap", "a") or {})["data"] == {"v": "git"}:
                lonely.edit("v1", "ConfigMap", "a", {"data": {"v": "theirs"}}, manager="other-operator")
            return lonely.condition("web").get("reason") == "DriftFight"

        eventually(fought, within=60)
        message = lonely.condition("web")["message"]
        assert "other-operator" in message and "/data/v" in message
        quiet(lonely)
        assert names(lonely) == {"a": {"v": "theirs"}}
