"""`dispatch doctor`: what is missing, and what to do about it."""

from __future__ import annotations

import json
import os
import sys
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import dispatch, dispatch_process, kubeconfig, may, service_account

from reconciler.adapters.kube import patience
from reconciler.adapters.kube.cluster import KubeCluster
from reconciler.cli import cluster_checks
from reconciler.cli.cluster_checks import Right, clock, covers, needed, version
from reconciler.cli.diagnosis import Check, Mark
from reconciler.cli.machine_checks import folder, git, python
from reconciler.model.crd import definitions
from reconciler.model.document import KINDS
from reconciler.sandbox.platform import Sandbox

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's kubeconfig nor its caches; the tools that were built stay at hand on PATH."""
    from reconciler import app

    tools = [str(path.parent) for name in ("kustomize", "helm") if (path := app.tool(name)) is not None]
    monkeypatch.setenv("PATH", os.pathsep.join([*tools, os.environ["PATH"]]))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("DISPATCH_CACHE", str(tmp_path_factory.mktemp("cache")))


def checks(*words: str | Path) -> dict[str, dict[str, str]]:
    return {each["check"]: each for each in json.loads(dispatch("doctor", "-o", "json", *words).out)}


def test_a_good_cluster_is_exit_code_0(kinds: Sandbox) -> None:
    ran = dispatch("doctor", "--kubeconfig", kinds.home.kubeconfig)

    assert (ran.code, ran.err) == (0, "")
    signs = {line.split()[1]: line[0] for line in ran.out.splitlines() if not line.startswith(" ")}
    assert signs["git"] == signs["cache"] == signs["server"] == signs["kinds"] == signs["rights"] == "✓"
    assert "✗" not in signs.values()


def test_json_has_every_check_with_its_result(kinds: Sandbox) -> None:
    found = checks("--kubeconfig", kinds.home.kubeconfig)

    assert found["server"]["result"] == "good"
    assert found["server"]["found"].startswith("Kubernetes v1.")
    assert found["user"]["result"] == "info"
    assert found["clock"]["result"] == "good"
    assert found["kinds"]["found"] == f"installed and current: {', '.join(KINDS)}"
    assert [*found] == [*dict.fromkeys(found)]


def test_no_cluster_is_a_failure_that_says_what_to_do() -> None:
    ran = dispatch("doctor")

    assert ran.code == 1
    assert "✗ kubeconfig" in ran.out
    assert "dispatch sandbox up" in ran.out


def test_a_server_that_does_not_answer_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOST_FOR", 0.3)
    file = kubeconfig(tmp_path / "config", "https://127.0.0.1:1", "very-secret-token")

    ran = dispatch("doctor", "--kubeconfig", file)

    assert ran.code == 1
    assert "✗ server" in ran.out
    assert "127.0.0.1:1" in ran.out
    assert "very-secret-token" not in ran.out + ran.err


def test_missing_rights_are_named(live: KubeCluster, kinds: Sandbox, namespace: str, tmp_path: Path) -> None:
    file, token = service_account(live, kinds, namespace, tmp_path / "config")

    ran = dispatch("doctor", "--kubeconfig", file)

    assert ran.code == 1
    assert f"system:serviceaccount:{namespace}:nobody" in ran.out
    assert "✗ rights" in ran.out
    assert "`dispatch run` would lack: get applications.dispatch.dev" in ran.out
    assert "! applying" in ran.out
    assert token not in ran.out + ran.err


def test_rights_in_one_namespace_are_enough_when_only_that_is_watched(
    live: KubeCluster, kinds: Sandbox, namespace: str, tmp_path: Path
) -> None:
    file, _ = service_account(live, kinds, namespace, tmp_path / "config")
    may(
        live,
        namespace,
        {"apiGroups": ["dispatch.dev", "argoproj.io"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["*"]},
    )

    assert checks("--kubeconfig", file)["rights"]["result"] == "failed"
    assert checks("--kubeconfig", file, "-n", namespace)["rights"]["result"] == "good"


def test_a_missing_git_is_a_failure_and_missing_renderers_a_warning(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path), "DISPATCH_CACHE": str(tmp_path / "cache")}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)

    ran = dispatch_process("doctor", "-o", "json", env=environment)

    found = {each["check"]: each for each in json.loads(ran.out)}
    assert ran.code == 1
    assert (found["git"]["result"], found["git"]["found"]) == ("failed", "not on PATH")
    assert "install git 2.31 or later" in found["git"]["advice"]
    assert (found["kustomize"]["result"], found["helm"]["result"]) == ("warning", "warning")
    assert found["go"]["result"] == "info"


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ("git version 2.39.5", Mark.GOOD),
        ("git version 2.31.0 (Apple Git-130)", Mark.GOOD),
        ("git version 2.30.9", Mark.FAILED),
        ("git version 1.99", Mark.FAILED),
        ("something else", Mark.FAILED),
        (None, Mark.FAILED),
    ],
)
def test_git_must_take_its_configuration_from_the_environment(said: str | None, mark: Mark) -> None:
    assert git(said).mark is mark


@pytest.mark.parametrize(("number", "mark"), [((3, 10), Mark.FAILED), ((3, 11), Mark.GOOD), ((4, 0), Mark.GOOD)])
def test_python_must_be_new_enough(number: tuple[int, int], mark: Mark) -> None:
    assert python(number).mark is mark


def test_a_cache_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    check = folder(tmp_path / "file" / "cache")

    assert check.mark is Mark.FAILED
    assert "$DISPATCH_CACHE" in check.advice


@pytest.mark.parametrize(
    ("server", "mark"),
    [
        ("v1.21.14", Mark.FAILED),
        ("v1.22.0", Mark.GOOD),
        ("v1.35.4", Mark.GOOD),
        ("v1.30.1-eks-036c24b", Mark.GOOD),
        ("v2.0.0", Mark.GOOD),
        ("", Mark.WARNING),
    ],
)
def test_the_server_must_know_server_side_apply(server: str, mark: Mark) -> None:
    assert version(server).mark is mark


def test_a_server_newer_than_any_tested_is_said() -> None:
    assert "tested up to 1.35" in version("v1.36.0").found
    assert "tested" not in version("v1.35.9").found


@pytest.mark.parametrize(
    ("ahead", "mark"),
    [(0, Mark.GOOD), (4, Mark.GOOD), (-4, Mark.GOOD), (30, Mark.WARNING), (-30, Mark.WARNING)],
)
def test_clocks_that_differ_are_said(ahead: int, mark: Mark) -> None:
    server = NOW.replace(microsecond=0) - timedelta(seconds=ahead)

    check = clock(server, NOW, NOW + timedelta(milliseconds=20))

    assert check.mark is mark
    assert ("ahead of" in check.found) == (ahead == 30)
    assert ("behind" in check.found) == (ahead == -30)


def installed() -> list[dict[str, Any]]:
    """The definitions as a server stores them: without what is empty, with what it fills in."""
    stored = deepcopy(definitions())
    for definition in stored:
        definition["spec"]["conversion"] = {"strategy": "None"}
        for each in definition["spec"]["versions"]:
            if each["schema"]["openAPIV3Schema"].get("x-kubernetes-validations") == []:
                del each["schema"]["openAPIV3Schema"]["x-kubernetes-validations"]
    return stored


def test_definitions_as_the_server_stores_them_are_current() -> None:
    assert cluster_checks.kinds(list(zip(definitions(), installed(), strict=True))).mark is Mark.GOOD


def test_definitions_of_another_version_are_a_warning() -> None:
    other = installed()
    properties = other[0]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del properties["sync"]

    check = cluster_checks.kinds(list(zip(definitions(), other, strict=True)))

    assert (check.mark, check.found) == (Mark.WARNING, "installed by another version of Dispatch: Application")


def test_definitions_that_are_missing_are_a_failure() -> None:
    check = cluster_checks.kinds([(definitions()[0], installed()[0]), (definitions()[1], None)])

    assert check == Check("kinds", Mark.FAILED, "not installed: Repository", "run `dispatch install`")


@pytest.mark.parametrize(
    ("wanted", "live", "same"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ({"a": []}, {}, True),
        ({"a": {"b": ""}}, {}, True),
        ([1, 2], [1], False),
        ([{"a": 1}], [{"a": 1, "b": 2}], True),
        ({"a": True}, {}, False),
    ],
)
def test_covers(wanted: Any, live: Any, same: bool) -> None:
    assert covers(wanted, live) is same


def test_rules_are_single_rights() -> None:
    rules = [{"apiGroups": ["apps"], "resources": ["a", "b/status"], "verbs": ["get", "patch"]}]

    assert [str(right) for right in needed(rules)] == [
        "get a.apps",
        "patch a.apps",
        "get b/status.apps",
        "patch b/status.apps",
    ]
    assert str(Right("get", "", "events")) == "get events"
