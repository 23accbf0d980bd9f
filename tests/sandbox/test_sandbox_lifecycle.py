"""A sandbox lives as long as its owner wants and leaves nothing. etcd alone shows it, and starts in no time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from sandbox.watching import alive, eventually, processes_that_mention

from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.platform import Part, Sandbox

OWNER = """
import sys, time
from pathlib import Path
from reconciler.sandbox.platform import Part, Sandbox
sandbox = Sandbox.start(Path(sys.argv[1]), [Part.ETCD])
print(" ".join(str(part.pid) for part in sandbox.status()), flush=True)
time.sleep(600)
"""


def test_two_start_at_the_same_time_and_both_serve(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        starts = [pool.submit(Sandbox.start, tmp_path / name, [Part.APISERVER]) for name in ("one", "two")]
        sandboxes = [start.result() for start in starts]
    try:
        assert len({sandbox.urls["kubernetes"] for sandbox in sandboxes}) == 2
        for sandbox in sandboxes:
            kubeconfig = json.loads(sandbox.kubeconfig.read_text())
            token = kubeconfig["users"][0]["user"]["token"]
            with urllib3.PoolManager(ca_certs=str(sandbox.home.authority)) as pool_of_one:
                for headers, status in (({"Authorization": f"Bearer {token}"}, 200), ({}, 403)):
                    path = f"{sandbox.urls['kubernetes']}/api/v1/secrets"
                    assert pool_of_one.request("GET", path, headers=headers).status == status
    finally:
        for sandbox in sandboxes:
            sandbox.stop()


def test_credentials_are_for_the_owner_only_and_on_no_command_line(apiserver: Sandbox) -> None:
    token = json.loads(apiserver.kubeconfig.read_text())["users"][0]["user"]["token"]
    for path in (apiserver.kubeconfig, apiserver.home.tokens, apiserver.home.signing_key):
        assert path.stat().st_mode & 0o077 == 0, path
    assert apiserver.home.directory.stat().st_mode & 0o077 == 0
    for part in apiserver.status():
        assert token not in Path(f"/proc/{part.pid}/cmdline").read_text()
        assert token not in Path(f"/proc/{part.pid}/environ").read_text()


def test_stop_leaves_no_process_and_no_data(tmp_path: Path) -> None:
    sandbox = Sandbox.start(tmp_path / "it", [Part.ETCD])
    assert processes_that_mention(str(tmp_path))
    sandbox.stop()
    sandbox.stop()
    assert not processes_that_mention(str(tmp_path))
    assert [path.name for path in (tmp_path / "it").iterdir()] == ["logs"]


def test_an_error_in_the_block_stops_it_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Sandbox.start(tmp_path / "it", [Part.ETCD]):
        assert 1 / 0
    assert not processes_that_mention(str(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_owner_leaves_no_child(tmp_path: Path, number: signal.Signals) -> None:
    argv = [sys.executable, "-c", OWNER, str(tmp_path / "it")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert alive(pids) == pids != []
        owner.send_signal(number)
    eventually("its parts are gone", lambda: not processes_that_mention(str(tmp_path)))
    assert not alive(pids)


def test_a_killed_supervisor_leaves_no_child(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "it", [Part.ETCD]) as sandbox:
        (etcd,) = sandbox.status()
        supervisor = int(Path(f"/proc/{etcd.pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(supervisor, signal.SIGKILL)
        eventually("etcd is gone", lambda: not alive([etcd.pid]))
        assert Sandbox.attach(tmp_path / "it") is None


def test_a_second_start_in_the_same_directory_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "it", [Part.ETCD]) as sandbox:
        before = sandbox.status()
        with pytest.raises(SandboxError, match=r"running in .* already"):
            Sandbox.start(tmp_path / "it", [Part.ETCD])
        assert [(part.pid, part.state) for part in sandbox.status()] == [(part.pid, "running") for part in before]


def test_a_directory_with_a_long_name_works(tmp_path: Path) -> None:
    """A Unix socket's own name may have 107 bytes."""
    directory = tmp_path / ("d" * 100) / ("e" * 100)
    with Sandbox.start(directory, [Part.ETCD]) as sandbox:
        assert [part.state for part in sandbox.status()] == ["running"]
