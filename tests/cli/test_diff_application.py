"""`dispatch diff` of an Application: in a file, or in the cluster; with what left Git, and what is somebody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import application, dispatch, may, put, repository, service_account
from manifests import config_map, inside, write
from team import git

from reconciler.adapters.kube.cluster import KubeCluster
from reconciler.core.applyset import CONTAINS, ID, PART_OF, applyset_id
from reconciler.sandbox.platform import Sandbox

pytestmark = pytest.mark.usefixtures("own_cache")


def by_ref(out: str) -> dict[str, dict[str, Any]]:
    return {each["ref"]: each for each in json.loads(out)}


def member(name: str, application: str, namespace: str) -> dict[str, Any]:
    return config_map(name, labels={PART_OF: applyset_id(application, namespace)}, a="1")


def parent(name: str, namespace: str, kinds: str = "ConfigMap", **spec: Any) -> dict[str, Any]:
    """An Application as the controller marks it."""
    document = application(name, namespace, **spec)
    document["metadata"] |= {"labels": {ID: applyset_id(name, namespace)}, "annotations": {CONTAINS: kinds}}
    return document


def test_an_application_in_a_file_shows_what_left_git(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, [parent("shop", namespace)])
    put(live, inside(namespace, member("stays", "shop", namespace), member("leaves", "shop", namespace)))
    write(folder, config_map("stays", a="1"))
    file = folder.parents[1] / "shop.yaml"
    file.write_text(yaml.safe_dump(application("shop", namespace)))

    ran = dispatch("diff", "-f", file, *access)

    assert ran.code == 1
    assert f"ConfigMap/{namespace}/leaves would be deleted\n--- live\n+++ /dev/null\n" in ran.out
    assert "stays" not in ran.out
    assert ran.err == "1 to delete, 1 unchanged\n"


def test_an_application_that_is_not_in_the_cluster_deletes_nothing(
    access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    write(folder, config_map("settings", a="1"))
    file = folder.parents[1] / "new.yaml"
    file.write_text(yaml.safe_dump(application("new", namespace) | {"spec": application("shop", "x")["spec"]}))

    ran = dispatch("diff", "-f", file, *access)

    assert (ran.code, ran.err) == (1, "1 to create\n")
    assert f"+    {PART_OF}: {applyset_id('new', namespace)}\n" in ran.out


def test_objects_that_outlive_their_manifest_are_not_shown_as_deleted(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, [parent("shop", namespace)])
    kept = member("kept", "shop", namespace)
    kept["metadata"]["annotations"] = {"dispatch.dev/prune": "disabled"}
    put(live, inside(namespace, member("stays", "shop", namespace), kept))
    write(folder, config_map("stays", a="1"))
    file = folder.parents[1] / "shop.yaml"
    file.write_text(yaml.safe_dump(application("shop", namespace)))

    assert dispatch("diff", "-f", file, *access).code == 0


def test_a_deletion_over_the_limit_is_shown_and_said(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    limited: dict[str, Any] = {"sync": {"pruneLimit": "0"}}
    put(live, [parent("shop", namespace, **limited)])
    put(live, inside(namespace, member("stays", "shop", namespace), member("leaves", "shop", namespace)))
    write(folder, config_map("stays", a="1"))
    file = folder.parents[1] / "shop.yaml"
    file.write_text(yaml.safe_dump(application("shop", namespace, **limited)))

    ran = dispatch("diff", "-f", file, *access)

    assert ran.code == 1
    assert f"ConfigMap/{namespace}/leaves would be deleted" in ran.out
    assert "the controller would not delete these: would delete 1 of 2 objects" in ran.err


def test_an_object_of_another_application_is_refused_and_both_are_named(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, [parent("shop", namespace), parent("other", namespace)])
    put(live, inside(namespace, member("settings", "other", namespace)))
    write(folder, config_map("settings", a="1"))
    file = folder.parents[1] / "shop.yaml"
    file.write_text(yaml.safe_dump(application("shop", namespace)))

    ran = dispatch("diff", "-f", file, *access)

    assert ran.code == 2
    assert f"all.yaml:2: ConfigMap/{namespace}/settings belongs to Application {namespace}/other" in ran.err


def test_ignored_fields_are_no_difference(
    live: KubeCluster, access: tuple[str, ...], namespace: str, folder: Path
) -> None:
    put(live, inside(namespace, member("settings", "shop", namespace)))
    write(folder, config_map("settings", a="2"))
    rule = {"kind": "ConfigMap", "fields": ["/data/a"]}
    file = folder.parents[1] / "shop.yaml"
    file.write_text(yaml.safe_dump(application("shop", namespace, drift={"ignore": [rule]})))

    assert dispatch("diff", "-f", file, *access).code == 0


def bare_repository(folder: Path, *documents: dict[str, Any]) -> Path:
    """A repository with the documents in `apps/shop`."""
    work, bare = folder / "work", folder / "config.git"
    (work / "apps/shop").mkdir(parents=True)
    write(work / "apps/shop", *documents)
    git("init", "--quiet", "--bare", "--initial-branch=main", str(bare), at=folder)
    git("init", "--quiet", "--initial-branch=main", at=work)
    git("add", "--all", at=work)
    git("commit", "--quiet", "--message", "first", at=work)
    git("push", "--quiet", str(bare), "HEAD:main", at=work)
    return bare


def test_an_application_of_the_cluster_is_compared_with_its_revision(
    live: KubeCluster, access: tuple[str, ...], namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = bare_repository(tmp_path, config_map("settings", a="2"))
    put(live, [parent("shop", namespace), repository("config", namespace, url=f"file://{bare}")])
    put(live, inside(namespace, member("settings", "shop", namespace), member("leaves", "shop", namespace)))
    monkeypatch.chdir(tmp_path / "work/apps")

    by_folder = dispatch("diff", "shop", *access, "-o", "json")
    monkeypatch.chdir(tmp_path)
    by_name = dispatch("diff", "shop", *access, "-o", "json")

    commit = git("rev-parse", "HEAD", at=tmp_path / "work")
    assert by_name.code == 1
    assert {ref: each["action"] for ref, each in by_ref(by_name.out).items()} == {
        f"ConfigMap/{namespace}/settings": "update",
        f"ConfigMap/{namespace}/leaves": "delete",
    }
    assert by_name.err == f"comparing with main@sha1:{commit}\n"
    assert by_folder.err == ""
    assert [*by_ref(by_folder.out)] == [f"ConfigMap/{namespace}/settings"]


def test_a_secret_that_is_not_there_is_said(
    live: KubeCluster, access: tuple[str, ...], namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = bare_repository(tmp_path, config_map("settings", a="2"))
    spec: dict[str, Any] = {"url": f"file://{bare}", "credentialsRef": {"name": "login"}}
    put(live, [parent("shop", namespace), repository("config", namespace, **spec)])
    monkeypatch.chdir(tmp_path)

    ran = dispatch("diff", "shop", *access)

    assert ran.code == 1
    assert "the Secret login is not used: it is not there" in ran.err


def test_deletions_that_cannot_be_known_are_said(
    live: KubeCluster, kinds: Sandbox, namespace: str, folder: Path, tmp_path: Path
) -> None:
    put(live, [parent("shop", namespace)])
    put(live, inside(namespace, member("stays", "shop", namespace), member("leaves", "shop", namespace)))
    access, _ = service_account(live, kinds, namespace, tmp_path / "config")
    may(
        live,
        namespace,
        {"apiGroups": ["dispatch.dev"], "resources": ["applications"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch", "create"]},
    )
    write(folder, config_map("stays", a="1"))
    file = folder.parents[1] / "shop.yaml"
    file.write_text(yaml.safe_dump(application("shop", namespace)))

    ran = dispatch("diff", "-f", file, "--kubeconfig", access)

    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("deletions of ConfigMap are not shown: ")
