"""The port `Renderer`, held on every renderer: the same objects as plain files, as a kustomization and as a chart."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from adapters.git.upstream import Upstream
from adapters.render.rendering import (
    Repository,
    asked,
    chart,
    config_map,
    content,
    kustomization,
    names,
    no_tools,
    real_tools,
    refused,
)

from reconciler.adapters.git import GitSource
from reconciler.adapters.render.engine import RenderEngine
from reconciler.adapters.render.limits import Limits
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Remote, Renderer

Layout = Callable[[Mapping[str, str]], dict[str, str]]


def plain(objects: Mapping[str, str]) -> dict[str, str]:
    return {f"app/{name}": text for name, text in objects.items()}


def kustomize(objects: Mapping[str, str]) -> dict[str, str]:
    return {"app/kustomization.yaml": kustomization(namespace="", resources=sorted(objects)), **plain(objects)}


def helm(objects: Mapping[str, str]) -> dict[str, str]:
    return {"app/Chart.yaml": chart(), **{f"app/templates/{name}": text for name, text in objects.items()}}


@pytest.fixture(params=[plain, kustomize, helm], ids=["plain", "kustomize", "helm"])
def laid_out(request: pytest.FixtureRequest) -> Layout:
    layout: Layout = request.param
    return layout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[RenderEngine]:
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=real_tools)) as made:
        yield made


TWO = {"a.yaml": config_map("one"), "b.yaml": config_map("two")}


def path_of(laid: Layout, name: str) -> str:
    return next(path for path in laid({name: ""}) if path.endswith(name))


def test_the_objects_are_those_that_were_written(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    repository.write(laid_out(TWO))
    rendered = engine.render(repository.tree, asked())
    assert names(rendered) == ["ConfigMap/one", "ConfigMap/two"]
    assert [manifest.document["data"] for manifest in rendered.manifests] == [{"value": "1"}] * 2
    assert [manifest.origin.file for manifest in rendered.manifests] == [
        path_of(laid_out, "a.yaml"),
        path_of(laid_out, "b.yaml"),
    ]
    assert rendered.hooks == ()


def test_the_same_objects_have_the_same_digest_whoever_renders_them(engine: RenderEngine, tmp_path: Path) -> None:
    found = []
    for layout in (plain, kustomize, helm):
        repository = Repository(tmp_path / layout.__name__)
        repository.write(layout(TWO))
        found.append(engine.render(repository.tree, asked()))
    assert len({rendered.digest for rendered in found}) == 1
    assert len({rendered.key for rendered in found}) == 3
    assert [rendered.tool.split()[0] for rendered in found] == ["plain", "kustomize", "helm"]


def test_a_commit_renders_as_the_folder_does(
    engine: RenderEngine, repository: Repository, laid_out: Layout, tmp_path: Path
) -> None:
    files = laid_out(TWO)
    repository.write(files)
    upstream = Upstream(tmp_path / "upstream.git")
    commit = upstream.commit({name: text.encode() for name, text in files.items()})
    with contextlib.closing(GitSource(tmp_path / "mirrors", allow_file=True)) as source:
        remote = Remote(f"file://{upstream.path}", None, 30)
        source.fetch(remote, commit, source.refs(remote))
        from_git = engine.render(source.tree(remote, commit), asked())
    from_folder = engine.render(repository.tree, asked())
    assert from_git == from_folder
    assert from_git.key == from_folder.key


def test_the_read_set_is_what_the_tree_holds(engine: Renderer, repository: Repository, laid_out: Layout) -> None:
    repository.write(laid_out(TWO))
    read_set = engine.read_set(repository.tree, asked())
    assert read_set == engine.render(repository.tree, asked()).read_set
    assert read_set.oids
    assert all(repository.tree.oid(path) == oid for path, oid in read_set.oids.items())


def test_a_change_of_what_is_read_is_a_new_render_and_any_other_is_not(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    files = laid_out(TWO)
    repository.write({**files, "other/x.yaml": "a: 1", "READ.md": "me"})
    before = engine.render(repository.tree, asked())
    repository.write({"other/x.yaml": "a: 2", "READ.md": "you", "appx/new.yaml": "b: 1"})
    assert engine.read_set(repository.tree, asked()) == before.read_set
    assert engine.render(repository.tree, asked()) is before
    for path in sorted(files):
        repository.write({path: files[path] + "\n# changed"})
        assert engine.read_set(repository.tree, asked()) != before.read_set, path
        after = engine.render(repository.tree, asked())
        assert after.key != before.key, path
        assert after.digest == before.digest, path
        repository.write({path: files[path]})
    assert engine.render(repository.tree, asked()).key == before.key


def test_a_removed_object_is_no_longer_rendered(engine: RenderEngine, repository: Repository, laid_out: Layout) -> None:
    repository.write(laid_out(TWO))
    engine.render(repository.tree, asked())
    repository.remove(path_of(laid_out, "b.yaml"))
    repository.write(laid_out({"a.yaml": TWO["a.yaml"]}))
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/one"]


def test_an_added_object_is_rendered(engine: RenderEngine, repository: Repository, laid_out: Layout) -> None:
    repository.write(laid_out({"a.yaml": TWO["a.yaml"]}))
    engine.render(repository.tree, asked())
    repository.write(laid_out(TWO))
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/one", "ConfigMap/two"]


def test_the_root_of_the_repository_can_be_rendered(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    repository.write({name.removeprefix("app/"): text for name, text in laid_out(TWO).items()})
    for path in (".", "", "./"):
        rendered = engine.render(repository.tree, asked(path))
        assert names(rendered) == ["ConfigMap/one", "ConfigMap/two"]
        assert rendered.manifests[0].origin.file == path_of(laid_out, "a.yaml").removeprefix("app/")


def test_many_threads_get_the_same_render(engine: RenderEngine, repository: Repository, laid_out: Layout) -> None:
    repository.write(laid_out(TWO))
    tree = repository.tree
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: engine.render(tree, asked()), range(12)))
    assert len({rendered.key for rendered in found}) == 1
    assert all(content(rendered) == content(found[0]) for rendered in found)


def test_a_second_engine_finds_the_first_ones_renders(repository: Repository, laid_out: Layout, tmp_path: Path) -> None:
    repository.write(laid_out(TWO))
    found = []
    for _ in range(2):
        with contextlib.closing(RenderEngine(tmp_path / "cache", tools=real_tools)) as engine:
            found.append(engine.render(repository.tree, asked()))
    assert found[0] == found[1]


@pytest.mark.parametrize("path", ["nowhere", "app/nowhere", "../repository/app", "app/../../repository/app"])
def test_a_folder_that_is_not_there_is_named(
    engine: RenderEngine, repository: Repository, laid_out: Layout, path: str
) -> None:
    repository.write(laid_out(TWO))
    error = refused(engine, repository, asked(path))
    assert error.reason == Reason.PATH_NOT_FOUND
    assert repr(path) in error.message


def test_a_file_is_no_folder(engine: RenderEngine, repository: Repository, laid_out: Layout) -> None:
    repository.write(laid_out(TWO))
    error = refused(engine, repository, asked(path_of(laid_out, "a.yaml")))
    assert error.reason == Reason.PATH_NOT_FOUND
    assert "is a file" in error.message


def test_two_objects_with_one_identity_are_refused_and_both_places_named(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    repository.write(laid_out({**TWO, "c.yaml": config_map("one", "2")}))
    error = refused(engine, repository)
    assert error.reason == Reason.DUPLICATE_OBJECT
    assert "ConfigMap/one is there twice" in error.message
    for name in ("a.yaml", "c.yaml"):
        assert path_of(laid_out, name) in error.message


def test_one_object_under_two_versions_is_one_identity(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    role = "apiVersion: rbac.authorization.k8s.io/{}\nkind: Role\nmetadata: {{name: r, namespace: team}}\n"
    repository.write(laid_out({"a.yaml": role.format("v1"), "b.yaml": role.format("v1beta1")}))
    error = refused(engine, repository)
    assert error.reason == Reason.DUPLICATE_OBJECT
    assert "Role.rbac.authorization.k8s.io/team/r" in error.message


def test_a_render_without_objects_is_refused(engine: RenderEngine, repository: Repository, laid_out: Layout) -> None:
    repository.write(laid_out({"a.yaml": "# nothing\n"}))
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_EMPTY
    assert "Nothing is changed or deleted" in error.message


def test_a_duplicate_key_is_refused_and_its_file_named(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    if laid_out is kustomize:
        repository.write(laid_out(TWO) | {"app/kustomization.yaml": "resources: [a.yaml]\nresources: [b.yaml]\n"})
    else:
        repository.write(laid_out({**TWO, "c.yaml": config_map("three") + "data: {}\n"}))
    error = refused(engine, repository)
    assert error.reason == Reason.INVALID_MANIFEST
    assert "is here twice" in error.message
    assert "app/" in error.message


def test_a_link_out_of_the_repository_is_refused(
    engine: RenderEngine, repository: Repository, laid_out: Layout, tmp_path: Path
) -> None:
    (tmp_path / "secret.yaml").write_text(config_map("stolen"))
    repository.write(laid_out(TWO))
    path = path_of(laid_out, "b.yaml")
    repository.remove(path)
    repository.link(path, str(tmp_path / "secret.yaml"))
    error = refused(engine, repository)
    assert path in error.message
    assert "symbolic link" in error.message
    assert "stolen" not in error.message


def test_a_link_to_a_file_of_the_repository_is_followed(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    repository.write(laid_out(TWO))
    path = path_of(laid_out, "b.yaml")
    repository.remove(path)
    # Over another link, for a chain is a link, too.
    repository.write({"app/shared/two": config_map("two")})
    repository.link("app/shared/way", "two")
    repository.link(path, "../shared/way" if laid_out is helm else "./shared/way")
    first = engine.render(repository.tree, asked())
    assert names(first) == ["ConfigMap/one", "ConfigMap/two"]
    assert [manifest.origin.file for manifest in first.manifests][1] == path
    repository.write({"app/shared/two": config_map("two", "changed")})
    second = engine.render(repository.tree, asked())
    assert [manifest.document["data"] for manifest in second.manifests] == [{"value": "1"}, {"value": "changed"}]
    assert second.read_set != first.read_set


@pytest.mark.parametrize("target", ["../../..", "../nowhere.yaml", "b.yaml", "../app"])
def test_a_link_that_leads_to_no_file_of_the_repository_is_refused(
    engine: RenderEngine, repository: Repository, laid_out: Layout, target: str
) -> None:
    repository.write(laid_out(TWO))
    path = path_of(laid_out, "b.yaml")
    repository.remove(path)
    repository.link(path, target)
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert f"{path} is a symbolic link" in error.message


def test_a_large_file_is_refused_before_it_is_read(
    engine: RenderEngine, repository: Repository, laid_out: Layout
) -> None:
    path = path_of(laid_out, "b.yaml")
    repository.write(laid_out(TWO))
    with (repository.root / path).open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_LIMIT
    assert path in error.message
    assert "100 MiB" in error.message
    assert "10 MiB" in error.message
    assert "--render-limit file=" in error.message


def test_too_much_to_read_is_refused(repository: Repository, laid_out: Layout, tmp_path: Path) -> None:
    repository.write(laid_out({f"{n}.yaml": config_map(f"c{n}", "x" * 1000) for n in range(12)}))
    limits = Limits(read_set=10_000)
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=real_tools, limits=limits)) as engine:
        error = refused(engine, repository)
    assert error.reason == Reason.RENDER_LIMIT
    assert "10,000 bytes" in error.message
    assert "--render-limit read-set=" in error.message


def test_a_failed_render_leaves_nothing_behind_and_the_next_one_works(
    engine: RenderEngine, repository: Repository, laid_out: Layout, tmp_path: Path
) -> None:
    broken = "kind: ConfigMap\nmetadata: [\n"
    repository.write(laid_out({**TWO, "c.yaml": broken}))
    with pytest.raises(Terminal):
        engine.render(repository.tree, asked())
    repository.write(laid_out({**TWO, "c.yaml": config_map("three")}))
    found = engine.render(repository.tree, asked())
    assert sorted(names(found)) == ["ConfigMap/one", "ConfigMap/three", "ConfigMap/two"]
    assert [path for path in (tmp_path / "cache" / "private").rglob("*") if path.name.endswith(".yaml")] == []


def test_an_unchanged_render_needs_no_tool(repository: Repository, laid_out: Layout, tmp_path: Path) -> None:
    there = True
    repository.write(laid_out(TWO))
    tools = lambda name: real_tools(name) if there else no_tools(name)  # noqa: E731
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        before = engine.render(repository.tree, asked())
        there = False
        assert engine.render(repository.tree, asked()) is before
