"""`dispatch run` and the gates that it answers; what the controller itself does: tests/cluster and tests/faults."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from command_line import dispatch, dispatch_process
from team import eventually

from reconciler.sandbox.platform import Sandbox
from reconciler.web.server import Gatehouse

_COMMAND = str(Path(sys.executable).parent / "dispatch")


class Running:
    """A controller in a process of its own, with its log in a file."""

    def __init__(self, log: Path, *words: str | Path) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen([_COMMAND, "run", *map(str, words)], stderr=out)

    def line(self, message: str) -> dict[str, str]:
        """The line of the log with this message, once it is there."""

        def seen() -> dict[str, str] | None:
            assert self.process.poll() is None, self.log.read_text()
            lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]
            return next((line for line in lines if line["message"] == message), None)

        found = eventually(seen, 30.0, self.log.read_text)
        assert found is not None
        return found


@pytest.fixture
def running(kinds: Sandbox, namespace: str, tmp_path: Path) -> Iterator[Running]:
    words: list[str | Path] = ["--kubeconfig", kinds.kubeconfig, "--namespace", namespace]
    words += ["--cache", tmp_path / "cache", "--log-format", "json"]
    started = Running(tmp_path / "log", *words, "--listen", "127.0.0.1:0")
    yield started
    started.process.kill()
    started.process.wait()


def test_it_answers_gates_and_says_where_and_stops_when_told(running: Running) -> None:
    address = running.line("answering gates")["why"].removeprefix("at ")
    with urllib3.PoolManager(timeout=5, retries=False) as pool:
        eventually(lambda: pool.request("GET", f"http://{address}/readyz").status == 200)
        assert pool.request("GET", f"http://{address}/healthz").status == 200
        answer = pool.request("GET", f"http://{address}/gates/team-a/web/5d4f8c7b9/1")
        assert (answer.status, answer.json()["verdict"]) == (200, "wait")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0


def test_a_taken_port_ends_it_with_the_way_out(tmp_path: Path) -> None:
    taken = Gatehouse("127.0.0.1:0")
    try:
        ran = dispatch_process("run", "--kubeconfig", tmp_path / "none", "--listen", taken.address)
    finally:
        taken.stop()
    assert ran.code == 2
    assert ran.out == ""
    assert f"error: cannot listen on {taken.address}" in ran.err
    assert "--listen ''" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--listen", "8080"], "--listen 8080 is no address"),
        (["--gates-url", "dispatch:8080"], "--gates-url dispatch:8080 is no address"),
        (["--gates-url", "http://h/?a=b"], "--gates-url http://h/?a=b is no address"),
        (["--prometheus", "prometheus"], "--prometheus prometheus is no address"),
        (["--cluster-name", "a/b"], "--cluster-name 'a/b' must be"),
        (["--cluster-name", ""], "--cluster-name '' must be"),
        (["--leader-elect"], "name one with --leader-elect-namespace"),
    ],
)
def test_wrong_use_is_told(words: list[str], message: str) -> None:
    ran = dispatch("run", *words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_no_server_is_needed_to_be_told_how() -> None:
    """The web server's code is read by `dispatch run` alone."""
    probe = "import sys; from reconciler.cli.main import main\ntry:\n main()\nfinally:\n"
    probe += " print([name for name in sys.modules if re.match('starlette|uvicorn|anyio|h11', name)])"
    for words in (["--help"], ["run", "--help"], ["get", "--help"]):
        ran = dispatch_process(*words, main=f"import re, sys; {probe}")
        assert ran.out.rstrip().endswith("[]"), ran.err


def test_help_comes_at_once() -> None:
    """Measured as work of the processor: how long it takes depends on what else this machine does."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = dispatch_process("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert re.search(r"\brun\b", ran.out)
    assert min(times) < 0.150, times
