"""`dispatch diff`: what applying would change, asked of a real server; nothing is written."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import dispatch, kubeconfig, may, put, service_account
from manifests import config_map, inside, secret, write

from reconciler.adapters.kube import patience
from reconciler.adapters.kube.cluster import KubeCluster
from reconciler.core.applyset import PART_OF, applyset_id
from reconciler.sandbox.platform import Sandbox

pytestmark = pytest.mark.usefixtures("own_cache")


def by_ref(out: str) -> dict[str, dict[str, Any]]:
    return {each["ref"]: each for each in json.loads(out)}


def test_the_same_is_exit_code_0(live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path) -> None:
    put(live, inside(namespace, config_map("settings", a="1")))

    ran = dispatch("diff", write(folder, config_map("settings", a="1")), *access)

    assert ran == (0, "", "1 unchanged\n")


def test_a_change_is_a_unified_diff_and_exit_code_1(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, inside(namespace, config_map("settings", a="1", b="2")))

    ran = dispatch("diff", write(folder, config_map("settings", a="1", b="3")), *access)

    assert ran.code == 1
    assert ran.out == (
        f"ConfigMap/{namespace}/settings would be changed\n"
        "--- live\n"
        "+++ wanted (apps/shop/all.yaml:2)\n"
        "@@ -1,7 +1,7 @@\n"
        " apiVersion: v1\n"
        " data:\n"
        "   a: '1'\n"
        "-  b: '2'\n"
        "+  b: '3'\n"
        " kind: ConfigMap\n"
        " metadata:\n"
        "   name: settings\n"
    )
    assert ran.err == "1 to change\n"


def test_nothing_is_written(live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path) -> None:
    (before,) = put(live, inside(namespace, config_map("settings", a="1")))

    dispatch("diff", write(folder, config_map("settings", a="2"), config_map("more", a="1")), *access)

    resource = live.resource("v1", "ConfigMap")
    assert resource is not None
    assert live.read(resource, namespace, "settings") == before
    assert live.read(resource, namespace, "more") is None


def test_a_new_object_is_shown_whole(access: tuple[str, ...], namespace: str, folder: Path) -> None:
    ran = dispatch("diff", write(folder, config_map("settings", a="1")), *access)

    assert ran.code == 1
    assert f"ConfigMap/{namespace}/settings would be created\n--- /dev/null\n+++ wanted (apps" in ran.out
    assert "+  a: '1'\n" in ran.out


def test_colours_when_asked_for(access: tuple[str, ...], namespace: str, folder: Path) -> None:
    ran = dispatch("diff", write(folder, config_map("settings", a="1")), *access, "--color", "always")

    assert "\x1b[32m+  a: '1'\x1b[0m\n" in ran.out
    assert "\x1b" not in dispatch("diff", folder, *access).out


def test_the_values_of_secrets_are_masked(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, inside(namespace, secret("login", same="hunter-one", changed="hunter-two")))
    write(folder, secret("login", same="hunter-one", changed="hunter-three"), secret("new", key="hunter-four"))

    ran = dispatch("diff", folder, *access)
    as_json = dispatch("diff", folder, *access, "-o", "json")

    assert "-  changed: '*** (before)'\n+  changed: '*** (after)'\n   same: '***'\n" in ran.out
    assert by_ref(as_json.out)[f"Secret/{namespace}/login"]["fields"] == [
        {"path": "/data/changed", "live": "*** (before)", "wanted": "*** (after)"}
    ]
    for plain in ("hunter-one", "hunter-two", "hunter-three", "hunter-four"):
        for shown in (plain, base64.b64encode(plain.encode()).decode()):
            assert shown not in ran.out + ran.err + as_json.out + as_json.err


def test_json_names_ref_action_place_and_fields(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, inside(namespace, config_map("settings", a="1", gone="x"), config_map("same", a="1")))
    write(folder, config_map("settings", a="2", new="z"), config_map("same", a="1"), config_map("more", a="1"))

    ran = dispatch("diff", folder, *access, "-o", "json")

    assert ran.code == 1
    assert by_ref(ran.out) == {
        f"ConfigMap/{namespace}/settings": {
            "ref": f"ConfigMap/{namespace}/settings",
            "action": "update",
            "file": "apps/shop/all.yaml",
            "line": 2,
            "fields": [
                {"path": "/data/a", "live": "1", "wanted": "2"},
                {"path": "/data/gone", "live": "x"},
                {"path": "/data/new", "wanted": "z"},
            ],
        },
        f"ConfigMap/{namespace}/more": {
            "ref": f"ConfigMap/{namespace}/more",
            "action": "create",
            "file": "apps/shop/all.yaml",
            "line": 17,
            "fields": [],
        },
    }


def test_what_the_server_refuses_is_an_error_with_file_and_line(
    access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 0}]}}
    write(folder, config_map("settings", a="1"), wrong)

    ran = dispatch("diff", folder, *access)
    as_json = dispatch("diff", folder, *access, "-o", "json")

    assert ran.code == 2
    assert f"error: apps/shop/all.yaml:9: Service/{namespace}/web was refused by the server (422): " in ran.err
    assert ran.err.endswith("1 to create, 1 refused\n")
    assert f"ConfigMap/{namespace}/settings would be created" in ran.out
    assert as_json.code == 2
    refused = by_ref(as_json.out)[f"Service/{namespace}/web"]
    assert (refused["action"], refused["line"]) == ("error", 9)
    assert "was refused by the server (422)" in refused["error"]


def test_a_namespace_that_does_not_exist_yet_is_no_error(access: tuple[str, ...], namespace: str, folder: Path) -> None:
    new = f"{namespace}-new"
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": new}}
    write(folder, made, *inside(new, config_map("settings", a="1")))

    ran = dispatch("diff", folder, *access)

    assert ran.code == 1
    assert f"Namespace/{new} would be created\n--- /dev/null" in ran.out
    assert f'settings would be created\nnot checked by the server: namespaces "{new}" not found\n' in ran.out


def test_a_kind_that_comes_along_is_no_error(access: tuple[str, ...], namespace: str, folder: Path) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "trees.diff.example.com"},
        "spec": {
            "group": "diff.example.com",
            "scope": "Namespaced",
            "names": {"kind": "Tree", "plural": "trees"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    tree = {"apiVersion": "diff.example.com/v1", "kind": "Tree", "metadata": {"name": "oak"}}

    ran = dispatch("diff", write(folder, tree, definition), *access)

    assert ran.code == 1
    assert (
        f"Tree.diff.example.com/{namespace}/oak would be created\n"
        "not checked by the server: Tree of diff.example.com/v1 is defined by these objects\n" in ran.out
    )


def test_a_kind_that_nobody_knows_is_an_error(access: tuple[str, ...], folder: Path) -> None:
    write(folder, {"apiVersion": "apps/v2", "kind": "Deployment", "metadata": {"name": "web"}})

    ran = dispatch("diff", folder, *access)

    assert (ran.code, ran.out) == (2, "")
    assert "apps/shop/all.yaml:2: " in ran.err
    assert "Did you mean apiVersion: apps/v1?" in ran.err


def test_a_replacement_is_shown_where_it_is_allowed(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    fixed = {**config_map("settings", a="1"), "immutable": True}
    put(live, inside(namespace, fixed))
    changed = {**fixed, "data": {"a": "2"}}
    allowed = {**changed, "metadata": {"name": "settings", "annotations": {"dispatch.dev/replace": "allowed"}}}

    refused = dispatch("diff", write(folder, changed), *access)
    replaced = dispatch("diff", write(folder, allowed), *access)

    assert refused.code == 2
    assert "dispatch.dev/replace: allowed" in refused.err
    assert replaced.code == 1
    assert f"ConfigMap/{namespace}/settings would be deleted and created anew\n--- live\n" in replaced.out


def test_a_folder_says_nothing_of_membership(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, inside(namespace, config_map("settings", labels={PART_OF: applyset_id("shop", namespace)}, a="1")))

    assert dispatch("diff", write(folder, config_map("settings", a="1")), *access).code == 0


def test_an_unreachable_server_is_exit_code_2(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOST_FOR", 0.3)
    file = kubeconfig(tmp_path / "config", "https://127.0.0.1:1", "token")

    ran = dispatch("diff", write(folder, config_map("a")), "--kubeconfig", file)

    assert (ran.code, ran.out) == (2, "")
    assert "127.0.0.1:1" in ran.err


def test_exactly_one_target_is_named(kinds: Sandbox) -> None:
    assert dispatch("diff", "--kubeconfig", kinds.home.kubeconfig).code == 2
    assert dispatch("diff", "shop", "-f", "x.yaml", "--kubeconfig", kinds.home.kubeconfig).code == 2
    assert dispatch("diff", "shop", "--renderer", "plain", "--kubeconfig", kinds.home.kubeconfig).code == 2


def test_what_may_not_be_read_is_an_error_with_file_and_line(
    live: KubeCluster, kinds: Sandbox, namespace: str, folder: Path, tmp_path: Path
) -> None:
    file, _ = service_account(live, kinds, namespace, tmp_path / "config")
    may(live, namespace, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch", "create"]})
    write(folder, config_map("settings", a="1"), secret("login", key="hunter"))

    ran = dispatch("diff", folder, "-n", namespace, "--kubeconfig", file)

    assert ran.code == 2
    assert f"ConfigMap/{namespace}/settings would be created" in ran.out
    assert "error: apps/shop/all.yaml:9: " in ran.err
    assert "secrets" in ran.err
    assert "aHVudGVy" not in ran.out + ran.err
