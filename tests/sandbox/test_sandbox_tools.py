"""Tools are built once, whole or not at all, and a build that fails says why and what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sandbox.modules import BROKEN, GOOD, Gate, gated, publish
from sandbox.watching import eventually, processes_that_mention

from reconciler.sandbox import tools
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.tools.recipes import RECIPES, Recipe

BUILDER = """
import json, sys
from reconciler.sandbox import tools
from reconciler.sandbox.tools.recipes import RECIPES, Recipe
recipe = Recipe(**json.loads(sys.argv[1]))
RECIPES[recipe.name] = recipe
tools.ensure([recipe.name], lambda line: print(line, flush=True))
"""


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and a module proxy that has only what the test publishes."""
    folder = tmp_path / "proxy"
    folder.mkdir()
    monkeypatch.setenv("DISPATCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOPROXY", f"file://{folder}")
    monkeypatch.setenv("GONOSUMDB", "*")
    monkeypatch.setenv("GONOSUMCHECK", "1")
    monkeypatch.setenv("GOSUMDB", "off")
    return folder


def known(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(RECIPES, recipe.name, recipe)
    return recipe.name


def left_in_the_cache(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache" / "tools").iterdir() if path.name != ".lock")


def test_a_missing_tool_is_built_once_with_its_data(
    tmp_path: Path, proxy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = known(publish(proxy, "tiny", GOOD), monkeypatch)
    assert tools.find(name) is None
    lines: list[str] = []
    binary = tools.ensure([name], lines.append)[name]
    assert subprocess.run([binary], capture_output=True, text=True, check=True).stderr == "hello\n"
    assert (tools.share(name, "assets") / "one.txt").read_text() == "one"
    assert lines[0] == "building tiny v1.0.0 ..."
    assert lines[1].startswith("built tiny v1.0.0 in ")
    assert left_in_the_cache(tmp_path) == ["tiny"]
    before = binary.stat().st_mtime_ns
    lines.clear()
    assert tools.ensure([name], lines.append) == {name: tools.find(name)}
    assert (lines, binary.stat().st_mtime_ns) == ([], before)


def test_a_failed_build_shows_the_end_of_its_log_and_leaves_no_half_tool(
    tmp_path: Path, proxy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = known(publish(proxy, "wrong", BROKEN), monkeypatch)
    with pytest.raises(SandboxError) as failure:
        tools.ensure([name], print)
    message = str(failure.value)
    assert "could not build wrong v1.0.0: `go build` ended with code 1" in message
    assert "undefined: thisIsNotThere" in message
    assert str(tmp_path / "cache" / "logs" / "wrong-v1.0.0.log") in message
    assert tools.find(name) is None
    assert left_in_the_cache(tmp_path) == []


def test_an_unreachable_module_proxy_is_named_with_the_way_out(proxy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9")
    name = known(publish(proxy, "far", GOOD), monkeypatch)
    with pytest.raises(SandboxError, match=r"(?s)could not build far .*dial tcp.*set GOPROXY to one that can"):
        tools.ensure([name], print)


def test_a_killed_build_leaves_no_half_tool_and_no_compiler_and_the_next_one_succeeds(
    tmp_path: Path, proxy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = publish(proxy, "slow", GOOD)
    name = known(recipe, monkeypatch)
    with gated(proxy) as gate:
        monkeypatch.setenv("GOPROXY", gate.url)
        with started(recipe) as builder:
            assert gate.asked.wait(60)
            assert processes_that_mention(str(tmp_path / "cache"))
            builder.kill()
        eventually("go is gone too", lambda: not processes_that_mention(str(tmp_path / "cache")))
        assert tools.find(name) is None
        assert "slow" not in left_in_the_cache(tmp_path)
        gate.opened.set()
        assert tools.ensure([name], print)[name].exists()
    assert left_in_the_cache(tmp_path) == ["slow"]


def test_builds_at_the_same_time_wait_for_each_other_and_say_so(proxy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = publish(proxy, "shared", GOOD)
    name = known(recipe, monkeypatch)
    lines: list[str] = []
    with gated(proxy) as gate, ThreadPoolExecutor() as pool:
        monkeypatch.setenv("GOPROXY", gate.url)
        with started(recipe) as builder:
            assert gate.asked.wait(60)
            second = pool.submit(tools.ensure, [name], lines.append)
            expected = f"waiting for process {builder.pid}, which is building shared v1.0.0 ..."
            eventually("the second one waits", lambda: lines == [expected])
            assert_still_waiting(gate, second.done())
            gate.opened.set()
            assert second.result()[name].exists()
            assert builder.wait() == 0
    assert lines == [expected]


def assert_still_waiting(gate: Gate, done: bool) -> None:
    assert not gate.opened.is_set()
    assert not done


def started(recipe: Recipe) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", BUILDER, json.dumps(asdict(recipe))]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, text=True)


def test_a_full_disk_is_seen_before_the_build(tmp_path: Path, proxy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = known(replace(publish(proxy, "huge", GOOD), disk_mib=1 << 40), monkeypatch)
    with pytest.raises(
        SandboxError, match=rf"not enough disk space to build huge v1.0.0: it needs about {1 << 40} MiB"
    ):
        tools.ensure([name], print)
    assert left_in_the_cache(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, proxy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISPATCH_CACHE", str(tmp_path / "file" / "cache"))
    name = known(publish(proxy, "tiny", GOOD), monkeypatch)
    with pytest.raises(SandboxError, match="Point DISPATCH_CACHE to a folder that can be written"):
        tools.ensure([name], print)


def test_without_go_and_without_a_package_index_the_error_says_how_to_get_go(
    tmp_path: Path, proxy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = known(publish(proxy, "tiny", GOOD), monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    forbid_the_package_index(tmp_path, monkeypatch)
    with pytest.raises(SandboxError) as failure:
        tools.ensure([name], print)
    assert "no Go on PATH" in str(failure.value)
    assert "https://go.dev/dl" in str(failure.value)
    assert tools.find(name) is None


def test_a_go_that_is_too_old_is_not_used(tmp_path: Path, proxy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = known(publish(proxy, "tiny", GOOD), monkeypatch)
    old = tmp_path / "bin" / "go"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\necho \'{"GOVERSION": "go1.19.1", "GOCACHE": "/tmp", "GOMODCACHE": "/tmp"}\'\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent))
    forbid_the_package_index(tmp_path, monkeypatch)
    with pytest.raises(SandboxError, match=rf"{old} is go1.19.1"):
        tools.ensure([name], print)


def forbid_the_package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_an_unknown_tool_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(SandboxError, match=r"no tool is called 'docker'; there are .*helm.*kustomize"):
        tools.ensure(["docker"], print)


def test_every_recipe_pins_its_version_and_every_replace() -> None:
    for recipe in RECIPES.values():
        assert recipe.version.startswith("v")
        for new in recipe.replaces.values():
            path, version = new.split(" ")
            assert "/" in path
            assert version.startswith("v")
