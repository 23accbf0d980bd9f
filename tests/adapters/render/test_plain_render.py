"""Plain folders: which files are read, how lists are opened, and what is no object."""

from __future__ import annotations

import json

import pytest
from adapters.render.rendering import Repository, asked, config_map, kustomization, names, refused

from reconciler.adapters.render.engine import RenderEngine
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Reason


def test_files_are_read_in_the_order_of_their_paths_with_file_and_line(
    engine: RenderEngine, repository: Repository
) -> None:
    repository.write({
        "app/b.yml": f"# two\n---\n{config_map('b1')}---\n# nothing\n---\n{config_map('b2')}",
        "app/a/deep/x.yaml": config_map("x"),
        "app/c.json": json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}, indent=1),
        "app/README.md": "kind: Nothing",
        "app/x.txt": "{",
    })  # fmt: skip
    rendered = engine.render(repository.tree, asked())
    assert [(str(manifest.id), str(manifest.origin)) for manifest in rendered.manifests] == [
        ("ConfigMap/x", "app/a/deep/x.yaml:1"),
        ("ConfigMap/b1", "app/b.yml:3"),
        ("ConfigMap/b2", "app/b.yml:12"),
        ("ConfigMap/c", "app/c.json:1"),
    ]
    assert rendered.read_set.oids == {"app": repository.tree.oid("app")}
    assert rendered.tool == "plain"


def test_names_with_a_dot_in_front_are_not_read(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/a.yaml": config_map("a"),
        "app/.sops.yaml": "creation_rules: []",
        "app/.github/workflows/ci.yaml": "on: push",
        "app/.hidden/x.yaml": config_map("x"),
    })  # fmt: skip
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a"]


def test_folders_below_are_left_out_on_request(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/a.yaml": config_map("a"), "app/sub/b.yaml": config_map("b")})
    flat = asked(plain={"recurse": False})
    before = engine.render(repository.tree, flat)
    assert names(before) == ["ConfigMap/a"]
    repository.write({"app/sub/b.yaml": config_map("c")})
    after = engine.render(repository.tree, flat)
    assert (after.key, after.manifests) == (before.key, before.manifests)
    assert after.read_set == engine.read_set(repository.tree, flat) != before.read_set
    repository.write({"app/z.yaml": config_map("z")})
    assert names(engine.render(repository.tree, flat)) == ["ConfigMap/a", "ConfigMap/z"]


def test_a_file_that_is_not_read_changes_no_key(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/a.yaml": config_map("a"), "app/README.md": "one"})
    before = engine.render(repository.tree, asked())
    repository.write({"app/README.md": "two"})
    after = engine.render(repository.tree, asked())
    assert after.key == before.key
    assert after.manifests is before.manifests
    assert after.read_set.oids == {"app": repository.tree.oid("app")}


def test_lists_are_opened_and_their_entries_keep_their_lines(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/list.yaml": "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
        "- apiVersion: v1\n  kind: ConfigMapList\n  items:\n"
        "  - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n",
        "app/empty.yaml": "{apiVersion: v1, kind: List, items: []}",
    })  # fmt: skip
    rendered = engine.render(repository.tree, asked())
    assert [(str(manifest.id), manifest.origin) for manifest in rendered.manifests] == [
        ("ConfigMap/a", Origin("app/list.yaml", 4)),
        ("ConfigMap/b", Origin("app/list.yaml", 5)),
    ]


def test_an_object_that_has_items_is_not_taken_for_a_list(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/a.yaml": "{apiVersion: x/v1, kind: Menu, metadata: {name: m}, items: [{a: 1}]}"})
    assert names(engine.render(repository.tree, asked())) == ["Menu.x/m"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n", "app/x.yaml:1: this document has no `apiVersion` and no `kind` and no `metadata.name`"),
        ("\n\nkind: ConfigMap\nmetadata: {name: a}\n", "app/x.yaml:3: this document has no `apiVersion`"),
        ("apiVersion: v1\nkind: ConfigMap\n", "no `metadata.name`"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n", "`generateName` makes a new object"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n", "`metadata.name` is a number: write it in quotes"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: n}\n", "`metadata.namespace` is true or false"),
        ("apiVersion: 1\nkind: ConfigMap\nmetadata: {name: a}\n", "`apiVersion` is a number"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: text\n", "`metadata` is text, not a mapping"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a, labels: {v: 1}}\n", "`metadata.labels` holds 'v' with a number"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a, annotations: [x]}\n", "`metadata.annotations` is a list"),
        ("- a\n- b\n", "this document is a list, not a Kubernetes object"),
        ("just text\n", "this document is text"),
        ("{apiVersion: v1, kind: List, items: [1]}", "this document is a number"),
    ],
)  # fmt: skip
def test_what_is_no_object_is_refused_with_its_place(
    engine: RenderEngine, repository: Repository, text: str, message: str
) -> None:
    repository.write({"app/a.yaml": config_map("a"), "app/x.yaml": text})
    error = refused(engine, repository)
    assert error.reason == Reason.INVALID_MANIFEST
    assert message in error.message


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("sub/kustomization.yaml", kustomization(resources=["a"]), "rendered by kustomize"),
        ("sub/Chart.yaml", "apiVersion: v2\nname: x\n", "belongs to a Helm chart"),
        ("values.yaml", "replicas: 1\n", "belongs to a Helm chart"),
        ("ci.yml", "on: push\n", "A plain folder may hold nothing else"),
    ],
)
def test_what_belongs_to_another_tool_is_said_so(
    engine: RenderEngine, repository: Repository, name: str, text: str, hint: str
) -> None:
    repository.write({"app/a.yaml": config_map("a"), f"app/{name}": text})
    assert hint in refused(engine, repository, asked(plain={})).message


def test_auto_picks_by_what_is_there(engine: RenderEngine, repository: Repository) -> None:
    chart = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
    repository.write({"app/a.yaml": config_map("plain")})
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/plain"]
    repository.write({"app/Chart.yaml": chart, "app/templates/h.yaml": config_map("helm")})
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/helm"]
    repository.write({"app/kustomization.yml": kustomization(namePrefix="k-", resources=["a.yaml"])})
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/k-plain"]
    assert names(engine.render(repository.tree, asked(helm={}))) == ["ConfigMap/helm"]
    repository.remove("app/kustomization.yml")
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/helm"]


def test_the_wrong_renderer_says_what_it_misses(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/a.yaml": config_map("a")})
    assert "app has no Chart.yaml" in refused(engine, repository, asked(helm={})).message
    assert "app has no kustomization.yaml" in refused(engine, repository, asked(kustomize={})).message


def test_a_folder_that_is_a_link_is_said_to_be_one(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/a.yaml": config_map("a")})
    repository.link("current", "app")
    assert "current is a symbolic link" in refused(engine, repository, asked("current")).message


def test_links_that_are_not_read_do_no_harm(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/a.yaml": config_map("a")})
    repository.link("app/README", "../../nowhere")
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a"]


def test_a_link_is_read_again_when_what_it_leads_to_changes(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/a.yaml": config_map("a"), "vendor/b.yaml": config_map("b")})
    repository.link("app/b.yaml", "../vendor/b.yaml")
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a", "ConfigMap/b"]
    repository.write({"vendor/b.yaml": config_map("c")})
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a", "ConfigMap/c"]
