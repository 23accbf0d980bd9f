"""`dispatch sandbox` as its user meets it: a child process with an own state folder."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from sandbox.watching import alive, eventually, processes_that_mention

from reconciler.sandbox import named, ports
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.platform import Part

COMMAND = [sys.executable, "-c", "from reconciler.cli.main import main; main()", "sandbox"]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the test's sandboxes lie; all of them are stopped at the end."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield named.state_root()
    for name in named.names():
        named.down(name, print)
    assert not processes_that_mention(str(tmp_path))


def sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=180, check=False)


def pids(name: str) -> list[int]:
    return [part["pid"] for part in json.loads(sandbox("status", "--name", name, "-o", "json").stdout)["parts"]]


def test_up_status_env_and_down(state: Path) -> None:
    up = sandbox("up", "--bare")
    assert up.returncode == 0, up.stderr
    assert "the sandbox default is ready" in up.stdout
    assert "the API server ready after" in up.stderr

    status = sandbox("status", "-o", "json")
    document = json.loads(status.stdout)
    assert (status.returncode, document["running"]) == (0, True)
    assert [(part["part"], part["state"]) for part in document["parts"]] == [
        ("etcd", "running"),
        ("apiserver", "running"),
    ]
    assert re.search(r"apiserver +running +\d+ +\d+ +\d+ MiB", sandbox("status").stdout)

    kubeconfig = re.fullmatch(r"export KUBECONFIG=(.+)\n", sandbox("env").stdout)
    assert kubeconfig
    server = json.loads(Path(kubeconfig[1]).read_text())["clusters"][0]["cluster"]["server"]
    assert server == document["urls"]["kubernetes"]

    again = sandbox("up", "--bare")
    assert (again.returncode, again.stderr) == (0, "")
    assert "the sandbox default is running already" in again.stdout
    assert pids("default") == [part["pid"] for part in document["parts"]]

    down = sandbox("down")
    assert (down.returncode, down.stdout) == (0, "the sandbox default is stopped and removed\n")
    assert not alive(part["pid"] for part in document["parts"])
    assert not (state / "default").exists()
    assert not processes_that_mention(str(state))

    assert sandbox("down").stdout == "there is no sandbox default\n"
    assert sandbox("status").returncode == 1
    assert "is not running" in sandbox("env").stderr


def test_prometheus_is_told_with_its_url_and_the_folder_of_its_targets(state: Path) -> None:
    up = sandbox("up", "--bare", "--with", "prometheus")
    url = re.search(r"^  prometheus +(http://127\.0\.0\.1:\d+)$", up.stdout, re.MULTILINE)
    assert url, up.stdout + up.stderr
    exports = sandbox("env").stdout
    assert f"export PROMETHEUS_URL={url[1]}\n" in exports
    folder = re.search(r"^export PROMETHEUS_TARGETS=(.+)$", exports, re.MULTILINE)
    assert folder
    assert Path(folder[1]).is_dir()
    assert urllib3.request("GET", f"{url[1]}/-/ready").status == 200


def test_a_sandbox_whose_supervisor_was_killed_is_noticed_and_cleaned_by_the_next_up(state: Path) -> None:
    named.up("it", [Part.ETCD], print)
    (etcd,) = pids("it")
    os.kill(int(Path(f"/proc/{etcd}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    eventually("etcd is gone", lambda: not alive([etcd]))
    status = sandbox("status", "--name", "it", "-o", "json")
    assert (status.returncode, json.loads(status.stdout)["running"]) == (1, False)
    lines: list[str] = []
    named.up("it", [Part.ETCD], lines.append)
    assert lines[0].startswith("removing what an earlier sandbox left in")
    assert pids("it") != [etcd]


def test_down_cleans_what_a_dead_sandbox_left(state: Path) -> None:
    (state / "it" / "data" / "etcd").mkdir(parents=True)
    assert sandbox("down", "--name", "it").stdout == "the sandbox it is stopped and removed\n"
    assert not (state / "it").exists()


def test_a_part_that_died_is_shown_and_started_again_by_up(state: Path) -> None:
    named.up("it", [Part.ETCD], print)
    (before,) = pids("it")
    os.kill(before, signal.SIGKILL)
    eventually("it is dead", lambda: not alive([before]))
    status = sandbox("status", "--name", "it")
    assert status.returncode == 1
    assert "ended with signal 9" in status.stdout
    assert named.up("it", [Part.ETCD], print).started == [Part.ETCD]
    assert alive(pids("it"))


def test_sandboxes_of_several_names_run_side_by_side(state: Path) -> None:
    for name in ("one", "two"):
        named.up(name, [Part.ETCD], print)
    assert named.names() == ["one", "two"]
    named.down("one", print)
    assert named.find("one") is None
    assert alive(pids("two"))
    assert sandbox("down", "--all").stdout == "the sandbox two is stopped and removed\n"


def test_the_foreground_uses_the_wanted_port_and_ends_with_its_process(state: Path) -> None:
    port = ports.choose()
    argv = [*COMMAND, "up", "--name", "it", "--bare", "--port", str(port), "--foreground"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as foreground:
        eventually("it is up", lambda: (state / "it" / "kubeconfig").exists() and len(pids("it")) == 2)
        running = pids("it")
        pool = urllib3.PoolManager(ca_certs=str(state / "it" / "credentials" / "serving" / "apiserver.crt"))
        assert pool.request("GET", f"https://127.0.0.1:{port}/livez").status == 200
        moved = sandbox("up", "--name", "it", "--bare", "--port", str(port + 1))
        assert f"runs already, on port {port}" in moved.stderr
        foreground.send_signal(signal.SIGTERM)
        assert foreground.wait(60) == 130
    assert not alive(running)
    assert not (state / "it").exists()


def test_a_wanted_port_that_is_taken_is_refused_and_nothing_is_left(state: Path) -> None:
    with socket.create_server(("127.0.0.1", ports.choose())) as stranger:
        port = stranger.getsockname()[1]
        refused = sandbox("up", "--bare", "--port", str(port))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"cannot listen on port {port} of 127.0.0.1" in refused.stderr
    assert not processes_that_mention(str(state))


@pytest.mark.parametrize("name", ["", "UPPER", "../up", "-x", "a" * 41])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="is no name for a sandbox"):
        named.directory(name)


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    refused = sandbox("up", "--with", "docker")
    assert refused.returncode == 2
    assert "'docker' is no part; there are gitea, rollouts, prometheus, registry" in refused.stderr
