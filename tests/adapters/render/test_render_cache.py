"""The caches: what is found again, what is never written, and that a broken cache costs time and not truth."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from adapters.render.rendering import (
    Repository,
    asked,
    chart,
    config_map,
    fake_tool,
    kustomization,
    names,
    real_tools,
    refused,
)

from reconciler.adapters.render.disk import Disk
from reconciler.adapters.render.engine import RenderEngine
from reconciler.adapters.render.memory import Latest, Memory
from reconciler.adapters.render.output import Output
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Reason, Transient
from reconciler.model.rendered import ReadSet, Rendered

COUNTING = """
echo run >> {log}
cat <<END
apiVersion: v1
kind: {kind}
metadata: {{name: a}}
{field}: {{password: hunter2}}
END
"""


def counting(folder: Path, kind: str = "ConfigMap", field: str = "data") -> tuple[Callable[[str], Path | None], Path]:
    log = folder / "runs"
    log.touch()
    return fake_tool(folder, "kustomize", COUNTING.format(log=log, kind=kind, field=field)), log


def runs(log: Path) -> int:
    return len(log.read_text().splitlines())


@pytest.fixture
def kustomized(repository: Repository) -> Repository:
    repository.write({"app/kustomization.yaml": kustomization(resources=["a.yaml"]), "app/a.yaml": config_map("a")})
    return repository


def test_an_unchanged_render_runs_nothing(kustomized: Repository, tmp_path: Path) -> None:
    tools, log = counting(tmp_path)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        first = engine.render(kustomized.tree, asked())
        assert engine.render(kustomized.tree, asked()) is first
        # Neither name nor namespace matter to kustomize: another Application of the same folder costs nothing.
        assert engine.render(kustomized.tree, asked(name="other", namespace="there")).key == first.key
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        assert engine.render(kustomized.tree, asked()) == first
    assert runs(log) == 1


def test_going_back_to_an_earlier_commit_runs_nothing(kustomized: Repository, tmp_path: Path) -> None:
    tools, log = counting(tmp_path)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        engine.render(kustomized.tree, asked())
        kustomized.write({"app/a.yaml": config_map("b")})
        engine.render(kustomized.tree, asked())
        kustomized.write({"app/a.yaml": config_map("a")})
        engine.render(kustomized.tree, asked())
    assert runs(log) == 2


def test_another_version_of_the_tool_renders_anew(kustomized: Repository, tmp_path: Path) -> None:
    tools, log = counting(tmp_path)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        before = engine.render(kustomized.tree, asked())
        program = tmp_path / "fake-kustomize"
        program.write_text(program.read_text().replace("v9.9.9", "v9.10.0"))
        after = engine.render(kustomized.tree, asked())
    assert (before.tool, after.tool) == ("kustomize v9.9.9", "kustomize v9.10.0")
    assert before.key != after.key
    assert runs(log) == 2


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"key": 1}', '{"manifests": [[1]]}', "null", "\x00\xff"])
def test_a_broken_cache_file_is_rendered_over(kustomized: Repository, tmp_path: Path, broken: str) -> None:
    tools, log = counting(tmp_path)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        first = engine.render(kustomized.tree, asked())
    (file,) = (tmp_path / "cache" / "rendered").iterdir()
    whole = file.read_bytes()
    file.write_bytes(broken.encode("latin-1"))
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        assert engine.render(kustomized.tree, asked()) == first
    assert file.read_bytes() == whole
    assert runs(log) == 2


def test_a_cache_file_that_was_tampered_with_is_rendered_over(kustomized: Repository, tmp_path: Path) -> None:
    tools, log = counting(tmp_path)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        first = engine.render(kustomized.tree, asked())
    (file,) = (tmp_path / "cache" / "rendered").iterdir()
    kept = json.loads(file.read_bytes())
    kept["manifests"][0][0]["data"]["password"] = "other"
    file.write_text(json.dumps(kept))
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        assert engine.render(kustomized.tree, asked()) == first
    assert runs(log) == 2


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_a_secret_is_never_on_disk_and_still_found_in_memory(
    kustomized: Repository, tmp_path: Path, field: str
) -> None:
    tools, log = counting(tmp_path, kind="Secret", field=field)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        first = engine.render(kustomized.tree, asked())
        assert first.manifests[0].document[field] == {"password": "hunter2"}
        assert engine.render(kustomized.tree, asked()) is first
        assert runs(log) == 1
        assert not _on_disk(tmp_path / "cache", b"hunter2")
    assert not _on_disk(tmp_path / "cache", b"hunter2")


def test_secrets_of_every_renderer_stay_off_the_disk(
    engine: RenderEngine, repository: Repository, tmp_path: Path
) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\n"
    repository.write({
        "plain/s.yaml": secret,
        "kustomize/kustomization.yaml": kustomization(secretGenerator=[{"name": "s", "literals": ["p=hunter2"]}]),
        "helm/Chart.yaml": chart(),
        "helm/templates/s.yaml": secret.replace("hunter2", "{{ .Values.p }}"),
        "list/s.yaml": "apiVersion: v1\nkind: List\nitems:\n- " + secret.replace("\n", "\n  "),
    })  # fmt: skip
    for path in ("plain", "kustomize", "list"):
        assert names(engine.render(repository.tree, asked(path)))[0].startswith("Secret/s")
    engine.render(repository.tree, asked("helm", helm={"values": {"p": "hunter2"}}))
    assert not _on_disk(tmp_path / "cache", b"hunter2")
    assert not _on_disk(tmp_path / "cache", b"aHVudGVyMg")


def _on_disk(folder: Path, text: bytes) -> bool:
    return any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_nobody_else_can_look_into_the_cache(engine: RenderEngine, kustomized: Repository, tmp_path: Path) -> None:
    engine.render(kustomized.tree, asked())
    cache = tmp_path / "cache"
    for path in [cache, *cache.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_cache_that_others_could_look_into_is_closed(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o755)
    RenderEngine(tmp_path / "cache", tools=real_tools).close()
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_private_folders_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    private = tmp_path / "cache" / "private"
    (private / "dead" / "render").mkdir(parents=True)
    (private / "dead" / "render" / "secret.yaml").write_text("hunter2")
    (private / "dead" / "in-use").touch()
    (private / "alive" / "render").mkdir(parents=True)
    (private / "alive" / "in-use").touch()
    held = os.open(private / "alive" / "in-use", os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        RenderEngine(tmp_path / "cache", tools=real_tools).close()
        assert [path.name for path in private.iterdir()] == ["alive"]
    finally:
        os.close(held)


def _output(name: str, size: int = 10) -> Output:
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"x": "x" * size}}
    return Output([Manifest(document, Origin(f"{name}.yaml", 3))], [f"Job/{name} (test)"])


def test_the_disk_forgets_what_was_used_least_lately(tmp_path: Path) -> None:
    disk = Disk(tmp_path, max_bytes=10_000)
    for number in range(30):
        disk.put(f"key{number}", _output(f"n{number}", 1000), "digest")
        os.utime(tmp_path / f"key{number}.json", (number, number))
        if (tmp_path / "key0.json").exists():
            os.utime(tmp_path / "key0.json", (1000, 1000))
    left = {path.stem for path in tmp_path.iterdir()}
    assert {"key0", "key29", "key28"} <= left
    assert not {"key1", "key2", "key10"} & left
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000


def test_a_full_disk_is_no_error(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    disk = Disk(folder)
    folder.rmdir()
    disk.put("key", _output("a"), "digest")
    assert disk.get("key") is None


def _rendered(key: str) -> Rendered:
    return Rendered((), "digest", key, ReadSet({}), "plain")


def test_the_memory_forgets_what_was_used_least_lately_and_keeps_the_newest() -> None:
    memory = Memory(max_bytes=100)
    for key in ("a", "b", "c"):
        memory.put(key, Latest(key, ReadSet({}), None), _rendered(key), 40)
        memory.get("a")
    assert [memory.get(key) is not None for key in ("a", "b", "c")] == [True, False, True]
    memory.put("huge", Latest("huge", ReadSet({}), None), _rendered("huge"), 1000)
    assert memory.get("huge") is not None
    assert memory.get("a") is None


def test_a_missing_tool_is_said_with_what_to_install(kustomized: Repository, tmp_path: Path) -> None:
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=lambda name: None)) as engine:
        with pytest.raises(Transient, match="Install kustomize 5") as caught:
            engine.render(kustomized.tree, asked())
        assert caught.value.reason == Reason.TOOL_MISSING
        kustomized.write({"chart/Chart.yaml": chart()})
        with pytest.raises(Transient, match="Install Helm 4"):
            engine.render(kustomized.tree, asked("chart"))


@pytest.mark.parametrize(
    ("text", "mode"),
    [("#!/bin/sh\necho hello\n", 0o755), ("#!/bin/sh\nexit 3\n", 0o755), ("", 0o644)],
    ids=["says no version", "fails", "cannot be executed"],
)
def test_a_tool_that_is_none_is_said(kustomized: Repository, tmp_path: Path, text: str, mode: int) -> None:
    tool = tmp_path / "kustomize"
    tool.write_text(text)
    tool.chmod(mode)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=lambda name: tool)) as engine:
        with pytest.raises(Transient, match="cannot be used") as caught:
            engine.render(kustomized.tree, asked())
        assert caught.value.reason == Reason.TOOL_MISSING


def test_a_tool_that_came_back_is_found(kustomized: Repository, tmp_path: Path) -> None:
    there = False
    with contextlib.closing(
        RenderEngine(tmp_path / "cache", tools=lambda name: real_tools(name) if there else None)
    ) as engine:
        with pytest.raises(Transient):
            engine.render(kustomized.tree, asked())
        there = True
        assert names(engine.render(kustomized.tree, asked())) == ["ConfigMap/a"]


def test_a_bad_render_is_not_kept(kustomized: Repository, tmp_path: Path) -> None:
    tools = fake_tool(tmp_path, "kustomize", "echo 'kind: ConfigMap'")
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        for _ in range(2):
            assert refused(engine, kustomized).reason == Reason.INVALID_MANIFEST
    assert list((tmp_path / "cache" / "rendered").iterdir()) == []
