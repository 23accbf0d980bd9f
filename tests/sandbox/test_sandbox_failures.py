"""What goes wrong while a part starts is told with its cause, and leaves nothing."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sandbox.watching import processes_that_mention

from reconciler.sandbox import ports
from reconciler.sandbox.control import Control
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.home import Home
from reconciler.sandbox.launch import launch
from reconciler.sandbox.parts import Part, Spec
from reconciler.sandbox.platform import Sandbox

LISTENER = """
import socket, sys, time
try:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
except OSError:
    sys.exit("listen tcp: bind: address already in use")
open("listening", "w").close()
time.sleep(600)
"""


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    home = Home(tmp_path)
    home.create()
    running = Control.launch(tmp_path, home.log("supervisor"))
    yield running
    running.stop()


def listener(strangers: list[socket.socket], theft: int) -> Spec:
    """A part whose port is taken by a stranger, `theft` times, between the choice and the part's own start."""

    def prepare(home: Home) -> None:
        if len(strangers) < theft:
            strangers.append(socket.create_server(("127.0.0.1", home.port(Part.GITEA))))

    def command(home: Home, binary: Path, port: int) -> Sequence[str]:
        return [str(binary), "-c", LISTENER, str(port)]

    def ready(home: Home) -> bool:
        return (home.data("gitea") / "listening").exists()

    return Spec(Part.GITEA, "python", "the listener", command, ready, port=True, prepare=prepare)


def test_a_chosen_port_that_a_stranger_takes_first_is_replaced(tmp_path: Path, control: Control) -> None:
    strangers: list[socket.socket] = []
    launch(Home(tmp_path), control, listener(strangers, theft=2), Path(sys.executable))
    taken = [stranger.getsockname()[1] for stranger in strangers]
    assert len(taken) == 2
    assert Home(tmp_path).port(Part.GITEA) not in taken
    assert control.parts()[Part.GITEA].code is None
    for stranger in strangers:
        stranger.close()


def test_a_port_that_the_user_wants_and_a_stranger_has_is_an_error_that_names_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", ports.choose())) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(SandboxError, match=rf"the API server cannot listen on port {port} .*another process"):
            Sandbox.start(tmp_path / "it", [Part.APISERVER], ports={Part.APISERVER: port})
    assert not processes_that_mention(str(tmp_path))


def test_a_part_that_ends_before_it_is_ready_shows_the_end_of_its_log(tmp_path: Path, control: Control) -> None:
    def command(home: Home, binary: Path, port: int) -> Sequence[str]:
        return [str(binary), "-c", "import sys; print('the disk is on fire'); sys.exit(3)"]

    spec = Spec(Part.ETCD, "python", "etcd", command, ready=lambda home: False)
    with pytest.raises(SandboxError) as failure:
        launch(Home(tmp_path), control, spec, Path(sys.executable))
    assert "etcd ended with code 3" in str(failure.value)
    assert "the disk is on fire" in str(failure.value)
    assert str(Home(tmp_path).log("etcd")) in str(failure.value)


def test_a_part_whose_program_cannot_be_run_says_so(tmp_path: Path, control: Control) -> None:
    spec = Spec(Part.ETCD, "nothing", "etcd", lambda home, binary, port: [str(binary)], ready=lambda home: False)
    with pytest.raises(SandboxError, match=r"could not start etcd: .*No such file"):
        launch(Home(tmp_path), control, spec, tmp_path / "nothing")


def test_a_full_disk_is_seen_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.sandbox.launch.ROOM_MIB", 1 << 40)
    with pytest.raises(SandboxError, match=r"not enough disk space to start etcd: .* point XDG_STATE_HOME"):
        Sandbox.start(tmp_path / "it", [Part.APISERVER])
    assert not processes_that_mention(str(tmp_path))


def test_a_failed_start_leaves_no_process(tmp_path: Path) -> None:
    """The API server's folder of certificates is a file: etcd is up by then, and goes down with it."""
    directory = tmp_path / "it"
    blocker = directory / "credentials" / "serving" / "apiserver.crt"
    with pytest.raises(SandboxError, match="the API server ended"):
        Sandbox.start(directory, [Part.APISERVER], progress=lambda line: _block(blocker, line))
    assert not processes_that_mention(str(tmp_path))


def _block(path: Path, line: str) -> None:
    if line.startswith("etcd ready"):
        path.mkdir(parents=True)
