"""A renderer that hangs, writes without end or eats memory ends with a sentence, and what it started ends with it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from adapters.render.rendering import Repository, asked, config_map, fake_tool, kustomization, names, refused
from processes import children, gone

from reconciler.adapters import process
from reconciler.adapters.render import jail
from reconciler.adapters.render.engine import RenderEngine
from reconciler.adapters.render.limits import MIB, Limits, parse
from reconciler.model.outcome import Blocked, Reason, Terminal


@pytest.fixture
def kustomized(repository: Repository) -> Repository:
    repository.write({"app/kustomization.yaml": kustomization(resources=["a.yaml"]), "app/a.yaml": config_map("a")})
    return repository


def broken(kustomized: Repository, tmp_path: Path, script: str, **limits: Any) -> Terminal:
    """What is said when kustomize is this script."""
    tools = fake_tool(tmp_path, "kustomize", script)
    chosen = Limits(**limits)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools, limits=chosen)) as engine:
        error = refused(engine, kustomized)
    assert list((tmp_path / "cache" / "private").rglob("*")) == []
    return error


def test_a_tool_that_hangs_is_ended_with_all_that_it_started(kustomized: Repository, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    error = broken(kustomized, tmp_path, f"sleep 1000 & echo $! $$ > {pids}; wait", time=1.0)
    assert error.reason == Reason.RENDER_LIMIT
    assert "kustomize v9.9.9 did not finish app; the limit is 1 s" in error.message
    assert "--render-limit time=" in error.message
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_a_tool_that_computes_without_end_is_ended(kustomized: Repository, tmp_path: Path) -> None:
    assert broken(kustomized, tmp_path, "while :; do :; done", time=1.0).reason == Reason.RENDER_LIMIT


@pytest.mark.parametrize("where", ["", " >&2"], ids=["stdout", "stderr"])
def test_a_tool_that_writes_without_end_is_ended(kustomized: Repository, tmp_path: Path, where: str) -> None:
    error = broken(kustomized, tmp_path, f"exec yes{where}", output=100_000)
    assert error.reason == Reason.RENDER_LIMIT
    assert "writes too much for app; the limit is 100,000 bytes" in error.message
    assert "--render-limit output=" in error.message


def test_a_tool_gets_no_more_memory_than_the_limit(kustomized: Repository, tmp_path: Path) -> None:
    script = f'{sys.executable} -I -S -c "bytearray(300_000_000)" && exit; echo not enough >&2; exit 1'
    assert "not enough" in broken(kustomized, tmp_path, script, memory=200 * MIB).message
    enough = broken(kustomized, tmp_path, script, memory=600 * MIB)
    assert enough.reason == Reason.RENDER_EMPTY


def test_running_out_of_memory_is_told_apart(kustomized: Repository, tmp_path: Path) -> None:
    error = broken(kustomized, tmp_path, 'echo "fatal error: runtime: out of memory" >&2; exit 2')
    assert error.reason == Reason.RENDER_LIMIT
    assert "ran out of memory" in error.message


def test_a_file_that_grows_without_end_is_cut(kustomized: Repository, tmp_path: Path) -> None:
    error = broken(kustomized, tmp_path, "yes > big; wc -c < big >&2; exit 7", output=100_000)
    assert error.message.splitlines()[-1].split()[-1] == "100000"


def test_a_tool_that_dies_is_said(kustomized: Repository, tmp_path: Path) -> None:
    assert "ended by signal 9" in broken(kustomized, tmp_path, "kill -9 $$").message


def test_a_long_message_keeps_its_start_and_its_end(kustomized: Repository, tmp_path: Path) -> None:
    error = broken(kustomized, tmp_path, "printf 'Error: first '; yes x | head -c 9000; echo last; exit 1 ")
    assert "exit code 1" in error.message
    error = broken(kustomized, tmp_path, "{ printf 'Error: first '; yes x | head -c 9000; echo last; } >&2; exit 1")
    assert error.message.startswith("app: kustomize v9.9.9: first x")
    assert error.message.endswith("last")
    assert len(error.message) < 2100


def test_the_tool_sees_nothing_of_our_environment(
    kustomized: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "HELM_DRIVER", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "leaked")
    error = broken(kustomized, tmp_path, "env >&2; ls -A $HOME >&2; find . -type f >&2; exit 1")
    lines = error.message.removeprefix("app: kustomize v9.9.9: ").splitlines()
    variables = {line.partition("=")[0] for line in lines if "=" in line}
    of_the_shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert variables - of_the_shell == {"PATH", "HOME", "TMPDIR", "LC_ALL", "GOMEMLIMIT"}
    assert "leaked" not in error.message
    assert {line for line in lines if line.startswith("./")} == {"./app/a.yaml", "./app/kustomization.yaml"}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def test_the_tool_has_no_network_where_the_system_allows_it(
    kustomized: Repository, tmp_path: Path, listener: socket.socket
) -> None:
    port = listener.getsockname()[1]
    connect = f'import socket; socket.create_connection((\\"127.0.0.1\\", {port}), 5)'
    error = broken(kustomized, tmp_path, f'exec {sys.executable} -I -S -c "{connect}"')
    connected = error.reason == Reason.RENDER_FAILED and "Error" not in error.message
    walls = jail.walls()
    assert connected == (not walls.unshare)
    if walls.unshare:
        assert "Network is unreachable" in error.message
        with pytest.raises(TimeoutError):
            listener.accept()
        assert "without network" in jail.describe()
    else:
        assert "WITH network" in jail.describe()


def test_an_ordinary_user_is_jailed_in_a_user_namespace_or_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    found = jail.walls.__wrapped__()
    assert ("--user" in found.unshare) == bool(found.unshare)
    assert bool(found.reason) != bool(found.unshare)


def test_limits_hold_without_prlimit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "walls", lambda: jail.Walls((), None, "not here"))
    wrapper = jail.wrapper(memory=512 * MIB, cpu_seconds=3, file_size=4096)
    done = process.run(
        ["sh", "-c", 'ulimit -v; ulimit -t; ulimit -f; ulimit -c; echo "$0"', "a b"], wrapper=wrapper, timeout=10
    )
    assert done.stdout.decode().splitlines() == [str(512 * 1024), "3", "8", "0", "a b"]
    assert jail.describe().endswith("or grant CAP_SYS_ADMIN")
    assert "not here" in jail.describe()


def test_limits_hold_with_prlimit() -> None:
    wrapper = jail.wrapper(memory=512 * MIB, cpu_seconds=3, file_size=4096)
    done = process.run(
        ["sh", "-c", "ulimit -v; ulimit -t; ulimit -f; ulimit -c; ulimit -n"], wrapper=wrapper, timeout=10
    )
    assert done.stdout.decode().splitlines() == [str(512 * 1024), "3", "8", "0", "512"]


def test_a_yaml_bomb_is_refused(engine: RenderEngine, repository: Repository) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    repository.write({"app/bomb.yaml": bomb, "k/kustomization.yaml": bomb, "h/Chart.yaml": bomb})
    for path in ("app", "k", "h"):
        error = refused(engine, repository, asked(path))
        assert error.reason == Reason.RENDER_LIMIT
        assert "aliases stand for more than" in error.message
        assert error.message.startswith({"app": "app/bomb.yaml:", "k": "k/kustom", "h": "h/Chart.yaml:"}[path])
    repository.write({"app/bomb.yaml": config_map("a")})
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a"]


@pytest.mark.parametrize("text", ["[" * 1_000_000, "{a: " * 100_000, '{"a":' * 1_000_000, "- " * 100_000])
def test_deep_nesting_is_refused(engine: RenderEngine, repository: Repository, text: str) -> None:
    repository.write({"app/deep.yaml": text})
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_LIMIT
    assert error.message.startswith("app/deep.yaml:1: nested deeper than 200 levels")


def test_a_file_that_takes_too_long_to_read_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app/a.yaml": config_map("a")})
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=lambda _: None, limits=Limits(time=0.5))) as engine:
        until_read(engine, repository)
        repository.write({"app/slow.yaml": "a: [" + "{b: c}, " * 400_000 + "]"})
        error = refused(engine, repository)
        assert error.reason == Reason.RENDER_LIMIT
        assert "app/slow.yaml takes too long to read as YAML; the limit is 0.5 s" in error.message
        repository.remove("app/slow.yaml")
        repository.write({"app/a.yaml": config_map("a", "2")})
        until_read(engine, repository)


def until_read(engine: RenderEngine, repository: Repository) -> None:
    """A child needs its moment to start on a busy machine."""
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(Terminal):
            assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a"]
            return
        assert time.monotonic() < deadline


def test_a_file_that_takes_too_much_memory_to_read_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app/a.yaml": config_map("a"), "app/wide.yaml": "a: [" + "{b: c}, " * 500_000 + "]"})
    limits = Limits(memory=100 * MIB)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=lambda _: None, limits=limits)) as engine:
        error = refused(engine, repository)
        assert error.reason == Reason.RENDER_LIMIT
        assert "app/wide.yaml takes too much memory to read as YAML; the limit is 100 MiB" in error.message
        repository.remove("app/wide.yaml")
        assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a"]


def test_closing_ends_a_tool_that_hangs_with_all_that_it_started(kustomized: Repository, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    tools = fake_tool(tmp_path, "kustomize", f"sleep 1000 & echo $! $$ > {pids}; wait")
    engine = RenderEngine(tmp_path / "cache", tools=tools)
    with ThreadPoolExecutor() as pool:
        rendering = pool.submit(engine.render, kustomized.tree, asked())
        while not pids.exists() or len(pids.read_text().split()) < 2:
            assert not rendering.done()
            time.sleep(0.01)
        engine.close()
        assert all(gone(int(pid)) for pid in pids.read_text().split())
        with pytest.raises(Blocked, match="Dispatch is stopping"):
            rendering.result()


def test_a_tool_ends_when_we_are_killed(kustomized: Repository, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"""
from pathlib import Path
from adapters.render.rendering import Repository, asked, fake_tool
from reconciler.adapters.render.engine import RenderEngine
tools = fake_tool(Path({str(tmp_path)!r}), "kustomize", "echo $$ > {pid}; exec sleep 1000")
tree = Repository(Path({str(kustomized.root)!r})).tree
RenderEngine(Path({str(tmp_path / "cache")!r}), tools=tools).render(tree, asked())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as rendering:
        while not pid.exists() or not pid.read_text().strip():
            assert rendering.poll() is None
            time.sleep(0.01)
        rendering.kill()
    deadline = time.monotonic() + 5
    while not gone(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_closing_ends_every_child_and_removes_every_private_folder(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app/a.yaml": config_map("a")})
    before = children()
    engine = RenderEngine(tmp_path / "cache", tools=lambda _: None)
    engine.render(repository.tree, asked())
    assert children() - before
    engine.close()
    engine.close()
    assert children() == before
    assert list((tmp_path / "cache" / "private").iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], Limits()),
        (["file=20Mi", "time=2m"], Limits(file=20 * MIB, time=120.0)),
        (["read-set=1.5Gi", "parallel=2", "output=1024"], Limits(read_set=1536 * MIB, parallel=2, output=1024)),
    ],
)
def test_limits_can_be_written(settings: list[str], expected: Limits) -> None:
    assert parse(settings) == expected


@pytest.mark.parametrize(
    "setting", ["size=1", "file", "file=", "file=1MB", "file=0", "time=5Mi", "parallel=2Mi", "file=-1"]
)
def test_a_limit_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"file"):
        parse([setting])
