"""A test may break a part and mend it again: the way to see how Dispatch bears it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox.watching import alive, eventually
from sandbox_fixtures import fresh_namespace

from reconciler.sandbox.api import Api
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.platform import Part, Sandbox


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("breakable"), [Part.APISERVER]) as sandbox:
        yield sandbox


def part(sandbox: Sandbox, wanted: Part) -> tuple[int, str, int | None]:
    (found,) = (each for each in sandbox.status() if each.part == wanted)
    return found.pid, found.state, found.port


def test_a_killed_api_server_comes_back_with_its_port_its_objects_and_its_credentials(breakable: Sandbox) -> None:
    namespace = fresh_namespace(breakable)
    before, kubeconfig = part(breakable, Part.APISERVER), breakable.kubeconfig.read_text()
    breakable.kill(Part.APISERVER)
    assert part(breakable, Part.APISERVER)[1] == "ended with signal 9"
    assert not alive([before[0]])
    breakable.restart(Part.APISERVER)
    after = part(breakable, Part.APISERVER)
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    assert breakable.kubeconfig.read_text() == kubeconfig
    with Api(breakable.home) as api:
        assert api.get(f"/api/v1/namespaces/{namespace}") is not None


def test_etcd_restarts_below_a_running_api_server(breakable: Sandbox) -> None:
    namespace = fresh_namespace(breakable)
    breakable.restart(Part.ETCD)
    with Api(breakable.home) as api:
        eventually("it answers again", lambda: api.get(f"/api/v1/namespaces/{namespace}"))


def test_a_paused_part_keeps_its_connections_and_answers_nobody(breakable: Sandbox) -> None:
    with Api(breakable.home) as api:
        breakable.pause(Part.ETCD)
        eventually("it is paused", lambda: part(breakable, Part.ETCD)[1] == "paused")
        assert not api.ready()
        breakable.resume(Part.ETCD)
        eventually("it is ready again", api.ready)
    assert part(breakable, Part.ETCD)[1] == "running"


def test_a_part_can_be_added_to_a_running_sandbox_once(tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "it", [Part.ETCD]) as sandbox:
        (before,) = sandbox.status()
        assert sandbox.add([Part.ETCD]) == []
        sandbox.kill(Part.ETCD)
        assert sandbox.add([Part.ETCD]) == [Part.ETCD]
        (after,) = sandbox.status()
        assert (after.state, after.pid != before.pid) == ("running", True)


def test_a_sandbox_without_gitea_says_so(breakable: Sandbox) -> None:
    with pytest.raises(SandboxError, match="has no Gitea"):
        _ = breakable.gitea
