"""Kustomize: what it reads is followed, and what it gives from those files alone is what it gives from all."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import pytest
from adapters.render.rendering import (
    Repository,
    asked,
    built,
    chart,
    config_map,
    content,
    fake_tool,
    kustomization,
    names,
    parsed,
    real_tools,
    refused,
    run_directly,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.render.engine import RenderEngine
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Reason

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx}]
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
EVERYTHING: dict[str, str] = {
    "base/kustomization.yaml": kustomization(resources=["deployment.yaml", "more"], crds=["types.json"]),
    "base/deployment.yaml": DEPLOYMENT,
    "base/types.json": "{}",
    "base/more/kustomization.yml": kustomization(resources=["cm.yaml"]),
    "base/more/cm.yaml": config_map("more"),
    "parts/blue/Kustomization": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: blue-\n",
    "app/kustomization.yaml": kustomization(
        namespace="team",
        resources=["../base", "crd.yaml"],
        components=["../parts/blue"],
        patches=[{"path": "replicas.yaml"}, {"path": "image.yaml", "target": {"kind": "Deployment"}}],
        configMapGenerator=[{"name": "files", "files": ["a.txt", "b=dir/b.txt"], "envs": ["c.env"]}],
        secretGenerator=[{"name": "pw", "env": "d.env"}],
        configurations=["config.yaml"],
        replacements=[{"path": "replace.yaml"}],
        openapi={"path": "schema.json"},
        transformers=["labels/label.yaml"],
    ),
    "app/crd.yaml": CRD,
    "app/replicas.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
    "app/image.yaml": "- {op: replace, path: /spec/template/spec/containers/0/image, value: 'nginx:2'}\n",
    "app/a.txt": "a",
    "app/dir/b.txt": "b",
    "app/c.env": "c=1\n",
    "app/d.env": "d=secret-value\n",
    "app/config.yaml": "commonLabels: []\n",
    "app/replace.yaml": "source: {kind: Deployment, name: blue-web, fieldPath: metadata.name}\n"
    "targets: [{select: {kind: ConfigMap, name: blue-more}, fieldPaths: [data.value]}]\n",
    "app/schema.json": '{"definitions": {}}',
    "app/labels/label.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\n"
    "path: labels/patch.yaml\ntarget: {kind: ConfigMap}\n",
    "app/labels/patch.yaml": "- {op: add, path: /metadata/labels, value: {patched: 'true'}}\n",
    "unread/kustomization.yaml": "resources: [nothing.yaml]\n",
}


def kustomize_build(root: Path, path: str = "app") -> list[str]:
    return parsed(run_directly(str(built("kustomize")), "build", path, cwd=root))


def test_all_fields_that_name_files_are_followed(engine: RenderEngine, repository: Repository) -> None:
    repository.write(EVERYTHING)
    rendered = engine.render(repository.tree, asked())
    assert content(rendered) == kustomize_build(repository.root)
    assert len(rendered.manifests) == 5
    absent = {path for path, oid in rendered.read_set.oids.items() if oid is None}
    assert absent == {
        "app/kustomization.yml", "app/Kustomization", "base/kustomization.yml", "base/Kustomization",
        "base/more/kustomization.yaml", "base/more/Kustomization",
        "parts/blue/kustomization.yaml", "parts/blue/kustomization.yml",
    }  # fmt: skip
    # A transformer may load any file of its kustomization's folder.
    below = {path for path in EVERYTHING if path.startswith(("app/labels/patch", "unread/"))}
    assert set(rendered.read_set.oids) - absent == {"app", *EVERYTHING} - below


def test_a_second_name_for_the_kustomization_is_noticed(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/kustomization.yaml": kustomization(resources=["a.yaml"]), "app/a.yaml": config_map("a")})
    engine.render(repository.tree, asked())
    repository.write({"app/Kustomization": kustomization(resources=["a.yaml"])})
    assert "app/kustomization.yaml and app/Kustomization" in refused(engine, repository).message


@st.composite
def repositories(draw: st.DrawFn) -> dict[str, str]:
    """Kustomizations that build on one another, among files that nobody reads."""
    files: dict[str, str] = {}
    roots = draw(st.integers(1, 4))
    for root in range(roots):
        # A root without a name in its path is above no other, so that none is a circle.
        folder = "app" if root == 0 else f"base{root}"
        fields: dict[str, Any] = {"namePrefix": f"p{root}-", "resources": []}
        for number in range(draw(st.integers(0 if root else 1, 3))):
            files[f"{folder}/cm{number}.yaml"] = config_map(f"r{root}n{number}")
            if draw(st.booleans()) or not number:
                fields["resources"].append(f"cm{number}.yaml")
        deeper = [f"../base{other}" for other in range(root + 1, roots) if draw(st.booleans())]
        if deeper:
            fields["resources"].append(deeper[0])
        if draw(st.booleans()):
            files[f"{folder}/g.txt"] = "text"
            fields["configMapGenerator"] = [{"name": f"g{root}", "files": ["g.txt"]}]
        if draw(st.booleans()):
            files[f"{folder}/patch.yaml"] = "- {op: add, path: /metadata/annotations, value: {a: b}}\n"
            fields["patches"] = [{"path": "patch.yaml", "target": {"kind": "ConfigMap"}}]
        fields["resources"] = [entry for entry in fields["resources"] if f"{folder}/{entry}" in files or ".." in entry]
        files[f"{folder}/kustomization.yaml"] = kustomization(**fields)
        files[f"{folder}/unread.yaml"] = "not: read\n"
    return files


@settings(max_examples=12)
@given(files=repositories(), seed=st.integers())
def test_the_read_set_is_what_the_render_depends_on(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str], seed: int
) -> None:
    repository = Repository(tmp_path_factory.mktemp("repository"))
    repository.write(files)
    cache = tmp_path_factory.mktemp("cache")
    with contextlib.closing(RenderEngine(cache, tools=real_tools)) as engine:
        rendered = engine.render(repository.tree, asked())
        assert content(rendered) == kustomize_build(repository.root)
        read = {path for path, oid in rendered.read_set.oids.items() if oid}
        for path in random.Random(seed).sample(sorted(files), len(files)):
            repository.write({path: files[path] + "# changed\n"})
            changed = engine.read_set(repository.tree, asked())
            assert (changed == rendered.read_set) == (path not in read), path
            if path not in read:
                assert engine.render(repository.tree, asked()) is rendered
            repository.write({path: files[path]})
        # What is not in it may say anything: to kustomize too it makes no difference.
        repository.write({path: f"other: {path}\n" for path in files if path not in read})
        assert content(rendered) == kustomize_build(repository.root)
        assert engine.render(repository.tree, asked()) is rendered


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("https://github.com/org/repo//base?ref=v1", "app/kustomization.yaml: resources[1] names https://github.com"),
        ("github.com/org/repo?ref=main", "remote bases are not allowed"),
        ("git@github.com:org/repo.git", "remote bases are not allowed"),
        ("https://ada:hunter2@host/x.yaml", "names https://host/x.yaml"),
        ("../../elsewhere", "names ../../elsewhere, which leaves the repository"),
        ("/etc/passwd", "names /etc/passwd, which leaves the repository"),
        ("missing.yaml", "names missing.yaml, and there is no app/missing.yaml"),
        ("empty", "has no kustomization.yaml"),
    ],
)
def test_a_resource_that_cannot_be_read_is_named(
    engine: RenderEngine, repository: Repository, entry: str, message: str
) -> None:
    repository.write({
        "app/kustomization.yaml": kustomization(resources=["a.yaml", entry]),
        "app/a.yaml": config_map("a"),
        "app/empty/x.txt": "",
    })  # fmt: skip
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert message in error.message
    assert "hunter2" not in error.message


def test_remote_files_of_generators_and_patches_are_refused_too(engine: RenderEngine, repository: Repository) -> None:
    for fields, place in (
        ({"configMapGenerator": [{"name": "x", "files": ["k=https://host/f"]}]}, "configMapGenerator[0].files[0]"),
        ({"patches": [{"path": "https://host/p.yaml"}]}, "patches[0].path"),
        ({"components": ["https://host/org/repo"]}, "components[0]"),
        ({"transformers": ["https://host/t.yaml"]}, "transformers[0]"),
    ):
        repository.write({"app/kustomization.yaml": kustomization(**fields)})
        assert f"app/kustomization.yaml: {place} names https://host/" in refused(engine, repository).message


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"app": "../b", "b": "../app"}, "app -> b -> app"),
        ({"app": "."}, "app -> app"),
        ({"app": "in", "app/in": ".."}, "app -> app/in -> app"),
        ({"app": "..", ".": "app"}, "app -> ."),
    ],
)
def test_a_circle_is_shown(engine: RenderEngine, repository: Repository, files: dict[str, str], circle: str) -> None:
    repository.write({f"{folder}/kustomization.yaml": f"resources: [{entry}]\n" for folder, entry in files.items()})
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert circle in error.message


def test_a_base_that_is_used_twice_is_no_circle(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/kustomization.yaml": kustomization(resources=["../x", "../y"]),
        "x/kustomization.yaml": kustomization(namePrefix="x-", resources=["../base"]),
        "y/kustomization.yaml": kustomization(namePrefix="y-", resources=["../base"]),
        "base/kustomization.yaml": kustomization(resources=["a.yaml"]),
        "base/a.yaml": config_map("a"),
    })  # fmt: skip
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/x-a", "ConfigMap/y-a"]


def test_a_file_outside_its_kustomization_is_refused_as_kustomize_does(
    engine: RenderEngine, repository: Repository, tmp_path: Path
) -> None:
    repository.write({
        "app/kustomization.yaml": kustomization(resources=["../shared/a.yaml"]),
        "shared/a.yaml": config_map("a"),
    })  # fmt: skip
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert "'shared/a.yaml' is not in or below 'app'" in error.message
    assert str(tmp_path) not in error.message


def test_kustomize_does_not_run_helm(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/kustomization.yaml": kustomization(helmCharts=[{"name": "x"}]), "app/x/Chart.yaml": chart()})
    assert "app/kustomization.yaml: helmCharts asks kustomize to run Helm" in refused(engine, repository).message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"components": ["a.yaml"]}, "components[0] names the file app/a.yaml; it must be a folder"),
        ({"patches": [{"path": "."}]}, "patches[0].path names the folder app; it must be a file"),
        ({"resources": ["a.yaml"], "unknown": 1}, 'unknown field "unknown"'),
        ({"resources": "a.yaml"}, "app: kustomize v"),
    ],
)
def test_a_kustomization_that_is_wrong_is_explained(
    engine: RenderEngine, repository: Repository, fields: dict[str, Any], message: str
) -> None:
    repository.write({"app/kustomization.yaml": kustomization(**fields), "app/a.yaml": config_map("a")})
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert message in error.message


def test_an_empty_kustomization_is_an_empty_render(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/kustomization.yaml": ""})
    assert refused(engine, repository).reason == Reason.RENDER_EMPTY


def test_a_kustomization_that_is_no_yaml_is_named_with_its_line(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/kustomization.yaml": "resources:\n- a\n- [\n"})
    error = refused(engine, repository)
    assert error.reason == Reason.INVALID_MANIFEST
    assert error.message.startswith("app/kustomization.yaml:4:")


def test_an_object_is_traced_to_its_file_through_prefix_suffix_and_hash(
    engine: RenderEngine, repository: Repository
) -> None:
    repository.write({
        "app/kustomization.yaml": kustomization(
            namePrefix="blue-", nameSuffix="-v1", resources=["../base"], configMapGenerator=[{"name": "gen"}]
        ),
        "base/kustomization.yaml": kustomization(resources=["both.yaml", "web.yaml"]),
        "base/both.yaml": f"# first\n{config_map('web')}---\n{config_map('web-config')}",
        "base/web.yaml": DEPLOYMENT,
    })  # fmt: skip
    rendered = engine.render(repository.tree, asked())
    assert {str(manifest.id): manifest.origin for manifest in rendered.manifests} == {
        "ConfigMap/blue-web-v1": Origin("base/both.yaml", 2),
        "ConfigMap/blue-web-config-v1": Origin("base/both.yaml", 9),
        "Deployment.apps/blue-web-v1": Origin("base/web.yaml", 1),
        "ConfigMap/blue-gen-v1-6ct58987ht": Origin("app/kustomization.yaml"),
    }


def test_contents_that_kustomize_shows_are_left_out(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app/kustomization.yaml": kustomization(resources=["a.yaml"]), "app/a.yaml": config_map("a")})
    tools = fake_tool(tmp_path, "kustomize", 'echo "Error: wrong node: node contents: password: hunter2" >&2; exit 1')
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert "wrong node" in error.message
    assert "hunter2" not in error.message


def test_an_allowed_remote_base_is_left_to_kustomize(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app/kustomization.yaml": kustomization(resources=["https://127.0.0.1:1/x.yaml"])})
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=real_tools, allow_remote_bases=True)) as engine:
        error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert "connection refused" in error.message


def test_kubectl_serves_where_kustomize_is_missing(repository: Repository, tmp_path: Path) -> None:
    real = built("kustomize")
    script = 'case "$1" in kustomize) shift; exec ' + str(real) + ' build "$@";; esac; exit 9'
    tools = fake_tool(tmp_path, "kubectl", script)
    repository.write({"app/kustomization.yaml": kustomization(resources=["a.yaml"]), "app/a.yaml": config_map("a")})
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        rendered = engine.render(repository.tree, asked())
    assert names(rendered) == ["ConfigMap/a"]
    assert rendered.tool == "kubectl v9.9.9"


def test_a_link_is_treated_as_kustomize_treats_it(engine: RenderEngine, repository: Repository) -> None:
    """A kustomization, and a resource below it, may be links; a resource outside of its folder may not."""
    repository.write({
        "app/a.yaml": config_map("a"),
        "app/real": kustomization(resources=["a.yaml", "b.yaml"]),
        "app/below/b": config_map("b"),
        "elsewhere/b.yaml": config_map("b"),
    })  # fmt: skip
    repository.link("app/kustomization.yaml", "real")
    repository.link("app/b.yaml", "below/b")
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a", "ConfigMap/b"]
    repository.remove("app/b.yaml")
    repository.link("app/b.yaml", "../elsewhere/b.yaml")
    assert "is not in or below" in refused(engine, repository).message
