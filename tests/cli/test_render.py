"""`dispatch render`: what a folder means, without a cluster."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import dispatch, dispatch_process

MIXED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, annotations: {dispatch.dev/wave: "-1"}}
data: {answer: "yes"}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"""
CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  size: {{ .Values.size | quote }}
"""
HOOK = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {helm.sh/hook: pre-install}
"""
pytestmark = pytest.mark.usefixtures("own_cache")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def titles(objects: list[Any]) -> list[str]:
    return [f"{each['kind']}/{each['metadata']['name']}" for each in objects]


def test_objects_come_in_the_order_in_which_they_are_applied(tmp_path: Path) -> None:
    ran = dispatch("render", write(tmp_path, {"all.yaml": MIXED}))

    assert (ran.code, ran.err) == (0, "")
    assert titles([*yaml.safe_load_all(ran.out)]) == ["ConfigMap/settings", "Namespace/shop", "Deployment/web"]


def test_json_is_one_array_in_the_same_order(tmp_path: Path) -> None:
    objects = json.loads(dispatch("render", write(tmp_path, {"all.yaml": MIXED}), "-o", "json").out)

    assert titles(objects) == ["ConfigMap/settings", "Namespace/shop", "Deployment/web"]
    assert objects[0]["data"] == {"answer": "yes"}


def test_nothing_is_added_to_an_object(tmp_path: Path) -> None:
    objects = json.loads(dispatch("render", write(tmp_path, {"all.yaml": MIXED}), "-o", "json").out)

    assert objects[2] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 1},
    }


def test_a_namespace_is_put_where_none_is_and_one_belongs(tmp_path: Path) -> None:
    objects = json.loads(dispatch("render", write(tmp_path, {"all.yaml": MIXED}), "-n", "prod", "-o", "json").out)

    assert [each["metadata"].get("namespace") for each in objects] == ["prod", None, "prod"]


def test_the_scope_of_a_custom_kind_is_that_of_its_definition(tmp_path: Path) -> None:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "zones.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"kind": "Zone", "plural": "zones"},
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
    }
    zone = {"apiVersion": "example.com/v1", "kind": "Zone", "metadata": {"name": "north"}}
    tree = {"apiVersion": "example.org/v1", "kind": "Tree", "metadata": {"name": "oak"}}
    folder = write(tmp_path, {"all.yaml": yaml.safe_dump_all([definition, zone, tree])})

    objects = json.loads(dispatch("render", folder, "-n", "prod", "-o", "json").out)

    placed = {each["kind"]: each["metadata"].get("namespace") for each in objects}
    assert placed == {"CustomResourceDefinition": None, "Zone": None, "Tree": "prod"}


def test_an_overlay_finds_its_base_without_git(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "overlays/staging/kustomization.yaml": "resources: [../../base]\nnamePrefix: staging-\n",
            "base/kustomization.yaml": "resources: [settings.yaml]\n",
            "base/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
        },
    )

    ran = dispatch("render", tmp_path / "overlays/staging")

    assert (ran.code, titles([*yaml.safe_load_all(ran.out)])) == (0, ["ConfigMap/staging-settings"])


def test_a_chart_gets_name_namespace_and_values(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/Chart.yaml": CHART,
            "shop/values.yaml": "size: small\n",
            "shop/templates/settings.yaml": TEMPLATE,
            "prod.yaml": "size: huge\n",
        },
    )

    plain = yaml.safe_load(dispatch("render", tmp_path / "shop").out)
    words = ("--name", "web", "-n", "prod", "--values", tmp_path / "prod.yaml")
    given = yaml.safe_load(dispatch("render", tmp_path / "shop", *words).out)

    assert (plain["metadata"], plain["data"]) == ({"name": "shop", "namespace": "default"}, {"size": "small"})
    assert (given["metadata"], given["data"]) == ({"name": "web", "namespace": "prod"}, {"size": "huge"})


def test_hooks_are_named_on_standard_error_and_left_out(tmp_path: Path) -> None:
    files = {"Chart.yaml": CHART, "templates/hook.yaml": HOOK, "templates/settings.yaml": TEMPLATE}

    ran = dispatch("render", write(tmp_path, files))

    assert [document["kind"] for document in yaml.safe_load_all(ran.out)] == ["ConfigMap"]
    assert ran.err == "hooks of the chart that are not run: Job/migrate (pre-install)\n"


def test_the_renderer_can_be_chosen(tmp_path: Path) -> None:
    folder = write(tmp_path, {"all.yaml": MIXED, "sub/more.yaml": MIXED.replace("web", "w2").replace("shop", "s2")})

    ran = dispatch("render", folder, "--renderer", "kustomize")

    assert ran.code == 2
    assert "kustomization" in ran.err


def test_a_mistake_in_a_manifest_has_file_and_line(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = write(tmp_path / "apps", {"broken.yaml": "a: 1\nb: [\n"})

    ran = dispatch("render", folder)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: apps/broken.yaml:3: ")


def test_values_without_a_chart_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, {"all.yaml": MIXED, "v.yaml": "a: 1\n"})

    ran = dispatch("render", folder, "--values", tmp_path / "v.yaml")

    assert ran == (2, "", f"error: --values is for Helm, and {folder} has no Chart.yaml\n")


def test_values_that_are_not_there_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path, {"Chart.yaml": CHART})

    assert "does not exist" in dispatch("render", folder, "--values", tmp_path / "nothing.yaml").err


@pytest.mark.parametrize("words", [(), (".", "-f", "x.yaml")])
def test_exactly_one_source_is_named(words: tuple[str, ...]) -> None:
    ran = dispatch("render", *words)

    assert ran.code == 2
    assert "either a folder or an Application's file" in ran.err


def test_the_process_ends_with_2_and_one_line(tmp_path: Path) -> None:
    assert dispatch_process("render", tmp_path / "nothing") == (2, "", f"error: {tmp_path}/nothing does not exist\n")


_LOADED = """
import sys
from reconciler.cli.main import main
try:
    main()
finally:
    heavy = sorted({name.partition(".")[0] for name in sys.modules} & {"kubernetes", "git", "apscheduler", "urllib3"})
    print("loaded:", *heavy, file=sys.stderr)
"""


@pytest.mark.parametrize("words", [("--help",), ("render", "--help"), ("render", ".")])
def test_what_needs_no_cluster_loads_no_client(tmp_path: Path, words: tuple[str, ...]) -> None:
    write(tmp_path, {"all.yaml": MIXED})

    ran = dispatch_process(
        *words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, main=_LOADED
    )

    assert (ran.code, ran.err.splitlines()[-1]) == (0, "loaded:")


def test_a_folder_without_a_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = dispatch("render", tmp_path / "empty")
    assert (ran.code, ran.err) == (2, "error: this folder has no file at all\n")
    (tmp_path / ".git").mkdir()
    ran = dispatch("render", tmp_path / "empty")
    assert (ran.code, ran.err) == (2, "error: there is no folder 'empty' in this folder, or nothing is in it\n")
