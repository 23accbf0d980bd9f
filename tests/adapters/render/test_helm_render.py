"""Helm charts of the repository, rendered offline."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
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
    names,
    parsed,
    real_tools,
    refused,
    run_directly,
)

from reconciler.adapters.render.engine import RenderEngine
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Reason

VALUES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata:\n  all: {{ .Values | toJson | quote }}\n"
HOOK = "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {0}, annotations: {{helm.sh/hook: '{1}'}}}}\n"
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
"""


def values(engine: RenderEngine, repository: Repository, **helm: Any) -> Any:
    rendered = engine.render(repository.tree, asked(helm=helm))
    return json.loads(rendered.manifests[0].document["data"]["all"])


def packed(name: str, files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def test_a_chart_gives_what_helm_gives(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/Chart.yaml": chart("shop", dependencies=[{"name": "db", "version": "1.0.0"}]),
        "app/values.yaml": "replicas: 2\ndb: {size: 3}\n",
        "app/templates/_helpers.tpl": '{{ define "n" }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}',
        "app/templates/a.yaml": 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ include "n" . }}}\n'
        "data: {count: '{{ .Values.replicas }}', ns: {{ .Release.Namespace }}, "
        'f: {{ .Files.Get "f.txt" | quote }}}\n',
        "app/f.txt": "a file",
        "app/crds/thing.yaml": CRD,
        "app/charts/db/Chart.yaml": chart("db"),
        "app/charts/db/templates/b.yaml": config_map("db-{{ .Values.size }}"),
    })  # fmt: skip
    rendered = engine.render(repository.tree, asked(name="rel", namespace="ns"))
    direct = run_directly(
        str(built("helm")), "template", "rel", "app", "--namespace=ns", "--include-crds", cwd=repository.root
    )
    assert content(rendered) == parsed(direct)
    assert {str(manifest.id): manifest.origin for manifest in rendered.manifests} == {
        "CustomResourceDefinition.apiextensions.k8s.io/things.example.com": Origin("app/crds/thing.yaml"),
        "ConfigMap/db-3": Origin("app/charts/db/templates/b.yaml"),
        "ConfigMap/rel-shop": Origin("app/templates/a.yaml"),
    }
    assert rendered.tool.startswith("helm v4")


def test_value_files_and_inline_values_win_in_their_order(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/Chart.yaml": chart(),
        "app/templates/values.yaml": VALUES,
        "app/values.yaml": "a: chart\nb: chart\nc: chart\nd: chart\n",
        "app/prod.yaml": "b: file\nc: file\nd: file\n",
        "shared/all.yaml": "c: shared\nd: shared\n",
    })  # fmt: skip
    files = ["prod.yaml", "/shared/all.yaml"]
    found = values(engine, repository, valueFiles=files, values={"d": "inline", "e": {"f": [1, True, None]}})
    assert found == {"a": "chart", "b": "file", "c": "shared", "d": "inline", "e": {"f": [1, True, None]}}
    read = engine.read_set(repository.tree, asked(helm={"valueFiles": files})).oids
    assert set(read) == {"app", "app/prod.yaml", "shared/all.yaml"}
    repository.write({"shared/all.yaml": "d: changed\n"})
    assert values(engine, repository, valueFiles=files)["d"] == "changed"


def test_a_change_of_the_inline_values_is_a_new_render(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/Chart.yaml": chart(), "app/templates/values.yaml": VALUES})
    assert values(engine, repository, values={"a": 1}) == {"a": 1}
    assert values(engine, repository, values={"a": 2}) == {"a": 2}


def test_inline_values_are_on_no_command_line(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app/Chart.yaml": chart()})
    tools = fake_tool(
        tmp_path,
        "helm",
        'printf -- "---\\n# Source: web/templates/a.yaml\\n"\n'
        'printf "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a, annotations: {argv: %s}}\\n" "\'$*\'"',
    )
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=tools)) as engine:
        rendered = engine.render(repository.tree, asked(helm={"values": {"password": "hunter2"}}))
    argv = rendered.manifests[0].annotations["argv"]
    assert "--values=" in argv
    assert "hunter2" not in argv


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.yaml", "valueFiles[0] is missing.yaml, and there is no app/missing.yaml"),
        ("/x/missing.yaml", "valueFiles[0] is /x/missing.yaml, and there is no x/missing.yaml"),
        ("templates", "valueFiles[0] is templates, and it is a folder"),
    ],
)
def test_a_value_file_that_is_not_there_is_named(
    engine: RenderEngine, repository: Repository, path: str, message: str
) -> None:
    repository.write({"app/Chart.yaml": chart(), "app/templates/values.yaml": VALUES})
    error = refused(engine, repository, asked(helm={"valueFiles": [path]}))
    assert error.reason == Reason.RENDER_FAILED
    assert message in error.message


def test_a_comma_in_the_name_of_a_value_file_names_no_second_file(
    engine: RenderEngine, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "outside.yaml").write_text("stolen: true\n")
    name = f"a.yaml,{tmp_path}/outside.yaml"
    repository.write({
        "app/Chart.yaml": chart(),
        "app/templates/values.yaml": VALUES,
        "app/a.yaml": "a: 1\n",
        f"app/{name}": "b: 2\n",
        'app/with "quotes", too.yaml': "c: 3\n",
    })  # fmt: skip
    assert values(engine, repository, valueFiles=[name]) == {"b": 2}
    assert values(engine, repository, valueFiles=['with "quotes", too.yaml']) == {"c": 3}


def test_hooks_are_named_and_not_returned(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/Chart.yaml": chart(),
        "app/templates/a.yaml": config_map("a"),
        "app/templates/hooks.yaml": "---\n".join([
            HOOK.format("migrate", "pre-install,pre-upgrade"),
            HOOK.format("smoke", "test"),
        ]),
    })  # fmt: skip
    rendered = engine.render(repository.tree, asked())
    assert names(rendered) == ["ConfigMap/a"]
    assert sorted(rendered.hooks) == ["Job/migrate (pre-install,pre-upgrade)", "Job/smoke (test)"]


def test_a_chart_of_hooks_alone_is_an_empty_render(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/Chart.yaml": chart(), "app/templates/h.yaml": HOOK.format("migrate", "pre-install")})
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_EMPTY
    assert "hooks only: Job/migrate (pre-install)" in error.message


def test_crds_are_left_out_when_they_are_not_wanted(engine: RenderEngine, repository: Repository) -> None:
    files = {"app/Chart.yaml": chart(), "app/crds/thing.yaml": CRD, "app/templates/a.yaml": config_map("a")}
    repository.write(files)
    assert names(engine.render(repository.tree, asked(helm={"includeCrds": False}))) == ["ConfigMap/a"]


def test_the_release_is_named_after_the_application_or_as_it_says(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/Chart.yaml": chart(), "app/templates/a.yaml": config_map("{{ .Release.Name }}")})
    assert names(engine.render(repository.tree, asked(name="shop"))) == ["ConfigMap/shop"]
    assert names(engine.render(repository.tree, asked(helm={"releaseName": "other"}))) == ["ConfigMap/other"]


@pytest.mark.parametrize("name", ["--post-renderer=/bin/sh", "-h", "Not A Name"])
def test_a_release_name_is_never_an_option(engine: RenderEngine, repository: Repository, name: str) -> None:
    repository.write({"app/Chart.yaml": chart(), "app/templates/a.yaml": config_map("a")})
    error = refused(engine, repository, asked(name=name))
    assert "release name" in error.message


def test_lookup_finds_nothing_and_does_not_fail(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/Chart.yaml": chart(),
        "app/templates/a.yaml": config_map('found-{{ len (lookup "v1" "Secret" "team" "pw") }}'),
        "app/templates/b.yaml": config_map('host-{{ getHostByName "localhost" | default "none" }}'),
    })  # fmt: skip
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/found-0", "ConfigMap/host-none"]


def test_a_chart_cannot_read_outside_its_folder(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "secret.txt": "secret",
        "app/Chart.yaml": chart(),
        "app/templates/a.yaml": config_map('a-{{ .Files.Get "../secret.txt" }}{{ .Files.Get "/etc/hostname" }}-z'),
    })  # fmt: skip
    assert names(engine.render(repository.tree, asked())) == ["ConfigMap/a--z"]


def test_a_chart_is_told_of_the_real_cluster(repository: Repository, tmp_path: Path) -> None:
    repository.write({
        "app/Chart.yaml": chart(kubeVersion=">= 1.20.0 < 1.30.0"),
        "app/templates/a.yaml": config_map(
            'v{{ .Capabilities.KubeVersion.Minor }}-{{ .Capabilities.APIVersions.Has "example.com/v1/Thing" }}'
        ),
    })  # fmt: skip
    keys = []
    for version, apis, name in (
        ("v1.25.3", ["example.com/v1/Thing"], "v25-true"),
        ("v1.26.0", [], "v26-false"),
    ):
        cache = tmp_path / "cache"
        with contextlib.closing(
            RenderEngine(cache, tools=real_tools, kube_version=version, api_versions=apis)
        ) as engine:
            rendered = engine.render(repository.tree, asked())
        assert names(rendered) == [f"ConfigMap/{name}"]
        keys.append(rendered.key)
    assert len(set(keys)) == 2


def test_charts_in_other_folders_are_followed(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "charts/app/Chart.yaml": chart(
            dependencies=[
                {"name": "lib", "version": "1.x", "repository": "file://../lib"},
                {"name": "lib", "version": "1.x", "repository": "file://../lib", "alias": "second"},
            ]
        ),
        "charts/app/templates/a.yaml": config_map("a"),
        "charts/lib/Chart.yaml": chart(
            "lib", dependencies=[{"name": "deep", "version": "*", "repository": "file://../../deep"}]
        ),
        "charts/lib/templates/l.yaml": config_map("{{ .Chart.Name }}"),
        "deep/Chart.yaml": chart("deep"),
        "deep/templates/d.yaml": config_map('deep-{{ .Values.global.n | default "x" }}-{{ randAlpha 4 | lower }}'),
        "deep/values.yaml": "global: {}\n",
    })  # fmt: skip
    rendered = engine.render(repository.tree, asked("charts/app"))
    assert sorted(name.split("-")[0] for name in names(rendered)) == [
        "ConfigMap/a", "ConfigMap/deep", "ConfigMap/deep", "ConfigMap/lib", "ConfigMap/second",
    ]  # fmt: skip
    assert set(rendered.read_set.oids) == {"charts/app", "charts/lib", "deep"}
    # What a chart draws by lot stays as long as nothing that it reads changes.
    assert engine.render(repository.tree, asked("charts/app")) is rendered


def test_packed_and_renamed_dependencies_are_found(engine: RenderEngine, repository: Repository) -> None:
    wanted = [{"name": "one", "version": "1.0.0", "repository": "https://charts.example.com"}, {"name": "two"}]
    files = {"Chart.yaml": chart("one"), "templates/o.yaml": config_map("one")}
    repository.write({
        "app/Chart.yaml": chart(dependencies=wanted),
        "app/charts/one-1.0.0.tgz": packed("one", files),
        "app/charts/folder/Chart.yaml": chart("two"),
        "app/charts/folder/templates/t.yaml": config_map("two"),
    })  # fmt: skip
    assert sorted(names(engine.render(repository.tree, asked()))) == ["ConfigMap/one", "ConfigMap/two"]


@pytest.mark.parametrize(
    ("repository_url", "message"),
    [
        ("https://charts.example.com", "the dependency lib is not in app/charts, and charts are not fetched"),
        ("oci://registry.example.com/charts", "Run `helm dependency update app`"),
        ("", "the dependency lib is not in app/charts"),
        ("file://../../lib", "file://../../lib, which leaves the repository"),
        ("file:///etc", "file:///etc, which leaves the repository"),
        ("file://.", "the chart would contain itself"),
        ("file://..", "the chart would contain itself"),
        ("file://../lib", "lib has no Chart.yaml"),
    ],
)
def test_a_dependency_that_is_not_there_is_named(
    engine: RenderEngine, repository: Repository, repository_url: str, message: str
) -> None:
    wanted = [{"name": "lib", "version": "1.0.0", "repository": repository_url}]
    repository.write({"app/Chart.yaml": chart(dependencies=wanted), "app/templates/a.yaml": config_map("a")})
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert message in error.message


def test_dependencies_of_an_old_chart_are_seen(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/Chart.yaml": json.dumps({"apiVersion": "v1", "name": "web", "version": "1.0.0"}),
        "app/requirements.yaml": "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../lib'}]\n",
        "app/templates/a.yaml": config_map("a"),
        "lib/Chart.yaml": chart("lib"),
        "lib/templates/l.yaml": config_map("lib"),
    })  # fmt: skip
    assert sorted(names(engine.render(repository.tree, asked()))) == ["ConfigMap/a", "ConfigMap/lib"]


def test_a_template_that_fails_is_explained_without_our_paths(
    engine: RenderEngine, repository: Repository, tmp_path: Path
) -> None:
    repository.write({"app/Chart.yaml": chart(), "app/templates/a.yaml": "{{ required `set image` .Values.image }}"})
    error = refused(engine, repository)
    assert error.reason == Reason.RENDER_FAILED
    assert "app: helm v4" in error.message
    assert "set image" in error.message
    assert "templates/a.yaml:1" in error.message
    assert str(tmp_path) not in error.message


def test_a_rendered_duplicate_key_names_the_template(engine: RenderEngine, repository: Repository) -> None:
    repository.write({
        "app/Chart.yaml": chart(),
        "app/templates/a.yaml": config_map("a"),
        "app/templates/b.yaml": config_map("b") + "data: {}\n",
    })  # fmt: skip
    error = refused(engine, repository)
    assert error.reason == Reason.INVALID_MANIFEST
    assert "app/templates/b.yaml (as rendered):7: the key 'data' is here twice" in error.message


def test_a_template_that_renders_no_object_is_named(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/Chart.yaml": chart(), "app/templates/a.yaml": "kind: ConfigMap\nmetadata: {name: a}\n"})
    assert refused(engine, repository).message == (
        "app/templates/a.yaml (as rendered):1: this document has no `apiVersion`: "
        "what is rendered there is not a Kubernetes object"
    )


def test_a_chart_reads_its_name_from_its_file_not_its_folder(engine: RenderEngine, repository: Repository) -> None:
    repository.write({"app/Chart.yaml": chart("other-name"), "app/templates/a.yaml": config_map("a")})
    assert engine.render(repository.tree, asked()).manifests[0].origin == Origin("app/templates/a.yaml")
