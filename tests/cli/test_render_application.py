"""`dispatch render -f`: what an Application in a file means, without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import dispatch

PLAIN = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
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
APPLICATION = """\
apiVersion: dispatch.dev/v1alpha1
kind: Application
metadata: {name: shop, namespace: team-a}
spec:
  source: {repository: config, path: charts/shop}
  render: {helm: {values: {size: large}}}
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


def test_an_application_says_how_it_is_rendered(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(
        tmp_path,
        {
            "applications/shop.yaml": APPLICATION,
            "charts/shop/Chart.yaml": CHART,
            "charts/shop/templates/settings.yaml": TEMPLATE,
        },
    )

    ran = dispatch("render", "-f", tmp_path / "applications/shop.yaml")

    assert yaml.safe_load(ran.out)["metadata"] == {"name": "shop", "namespace": "team-a"}
    assert yaml.safe_load(ran.out)["data"] == {"size": "large"}


def test_the_path_of_an_application_is_below_the_named_root(tmp_path: Path) -> None:
    write(tmp_path, {"config/charts/shop/Chart.yaml": CHART, "config/charts/shop/templates/a.yaml": TEMPLATE})
    file = write(tmp_path, {"elsewhere/shop.yaml": APPLICATION}) / "elsewhere/shop.yaml"

    lost = dispatch("render", "-f", file)
    found = dispatch("render", "-f", file, "--root", tmp_path / "config")

    assert (lost.code, found.code) == (2, 0)
    assert "there is no folder 'charts/shop'" in lost.err
    assert "--root" in lost.err


def test_one_of_several_applications_is_chosen_by_name(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    second = (
        APPLICATION.replace("name: shop,", "name: pay,")
        .replace("charts/shop", "plain")
        .replace("  render: {helm: {values: {size: large}}}\n", "")
    )
    write(tmp_path, {"all.yaml": f"{APPLICATION}---\n{second}", "plain/all.yaml": PLAIN})

    several = dispatch("render", "-f", tmp_path / "all.yaml")
    wrong = dispatch("render", "-f", tmp_path / "all.yaml", "--name", "web")
    one = dispatch("render", "-f", tmp_path / "all.yaml", "--name", "pay")

    assert several.err == f"error: {tmp_path}/all.yaml holds 2 Applications (shop, pay): choose one with --name\n"
    assert wrong.err == f"error: {tmp_path}/all.yaml holds no Application 'web': it has shop, pay\n"
    assert one.code == 0
    assert titles([*yaml.safe_load_all(one.out)])[-1] == "ConfigMap/settings"


def test_a_mistake_in_an_application_has_file_and_line(tmp_path: Path) -> None:
    file = write(tmp_path, {"shop.yaml": APPLICATION.replace("source:", "sauce:")}) / "shop.yaml"

    ran = dispatch("render", "-f", file)

    assert (ran.code, ran.out) == (2, "")
    assert f"{file}:1: spec.sauce: unknown field; did you mean spec.source?" in ran.err


def test_options_that_an_application_overrules_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, {"shop.yaml": APPLICATION}) / "shop.yaml"

    assert dispatch("render", "-f", file, "--renderer", "plain").code == 2
