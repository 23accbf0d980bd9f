"""`dispatch get`: what is there, and how it is."""

from __future__ import annotations

import json

import pytest
import yaml
from command_line import application, dispatch, put, ready, repository

from reconciler.adapters.kube.cluster import KubeCluster
from reconciler.sandbox.platform import Sandbox

REVISION = "main@sha1:0123456789abcdef0123456789abcdef01234567"
HEALTHY = {
    "conditions": [ready("True", "ReconciliationSucceeded", f"applied {REVISION}")],
    "sync": "Synced",
    "health": "Healthy",
    "objects": 3,
    "applied": {"revision": REVISION, "digest": "d", "at": "2026-11-23T15:00:00Z"},
}
BROKEN = {
    "conditions": [ready("False", "RenderFailed", "apps/pay/kustomization.yaml: no such\nfile: base")],
    "sync": "Unknown",
    "health": "Healthy",
    "attempted": {"revision": "main@sha1:fedcba9876543210", "digest": "", "at": "2026-11-23T15:00:00Z"},
}


def columns(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("   ") if cell.strip()]


def test_applications_are_listed_with_their_state(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status=HEALTHY), application("new", namespace)])

    ran = dispatch("get", "applications", *access)

    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert columns(lines[0]) == ["NAMESPACE", "NAME", "SYNC", "HEALTH", "REVISION", "AGE"]
    assert columns(lines[1])[:4] == [namespace, "new", "Unknown", "Unknown"]
    assert columns(lines[2])[:5] == [namespace, "shop", "Synced", "Healthy", "main@0123456789"]
    assert len(lines) == 3


def test_why_an_application_is_not_ready_is_under_the_table(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    put(live, [application("pay", namespace, status=BROKEN)])

    ran = dispatch("get", "apps", *access)

    assert ran.out.splitlines()[-1] == f"{namespace}/pay: RenderFailed: apps/pay/kustomization.yaml: no such file: base"
    assert "main@fedcba9876" in ran.out


def test_wide_has_path_objects_and_message(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status=HEALTHY), application("pay", namespace, status=BROKEN)])

    lines = dispatch("get", "app", *access, "-o", "wide").out.splitlines()

    assert columns(lines[0])[-3:] == ["PATH", "OBJECTS", "MESSAGE"]
    assert columns(lines[1])[-3:] == ["apps/pay", "0", "apps/pay/kustomization.yaml: no such file: base"]
    assert columns(lines[2])[-2:] == ["apps/shop", "3"]


def test_repositories_are_listed_with_their_state(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    denied = ready("False", "SourceAuthenticationFailed", "the host wants credentials")
    put(live, [repository("config", namespace, status={"revision": REVISION, "conditions": [denied]})])

    table = dispatch("get", "repositories", *access).out.splitlines()
    wide = dispatch("get", "repo", "config", *access, "-o", "wide").out.splitlines()

    assert columns(table[1])[:4] == [namespace, "config", "False", "main@0123456789"]
    assert table[-1] == f"{namespace}/config: SourceAuthenticationFailed: the host wants credentials"
    assert columns(wide[1])[-2:] == ["https://git.example.com/config.git", "the host wants credentials"]


def test_a_hook_is_shown_with_what_it_missed(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    hook = {"state": "Managed", "url": "https://dispatch.example/hooks/git/a/config?key=0", "missed": 2}
    put(live, [repository("config", namespace, status={"revision": REVISION, "webhook": hook})])

    wide = dispatch("get", "repo", "config", *access, "-o", "wide").out.splitlines()

    assert columns(wide[0])[-3:] == ["URL", "WEBHOOK", "MESSAGE"]
    assert "Managed, 2 missed" in columns(wide[1])


def test_one_document_is_printed_as_it_is(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status=HEALTHY)])

    as_json = json.loads(dispatch("get", "application", "shop", *access, "-o", "json").out)
    as_yaml = yaml.safe_load(dispatch("get", "application", "shop", *access, "-o", "yaml").out)

    assert as_json["status"]["applied"]["revision"] == REVISION
    assert "managedFields" not in as_json["metadata"]
    assert as_yaml["metadata"]["uid"] == as_json["metadata"]["uid"]


def test_several_documents_are_a_list(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("b", namespace), application("a", namespace)])

    printed = json.loads(dispatch("get", "applications", *access, "-o", "json").out)

    assert (printed["kind"], [item["metadata"]["name"] for item in printed["items"]]) == ("List", ["a", "b"])


def test_names_are_those_that_kubectl_understands(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace), repository("config", namespace)])

    assert dispatch("get", "apps", *access, "-o", "name").out == "application.dispatch.dev/shop\n"
    assert dispatch("get", "repos", *access, "-o", "name").out == "repository.dispatch.dev/config\n"


def test_all_namespaces(live: KubeCluster, kinds: Sandbox, namespace: str) -> None:
    put(live, [application("everywhere", namespace)])

    ran = dispatch("get", "applications", "-A", "--kubeconfig", kinds.home.kubeconfig)

    assert [namespace, "everywhere"] in [columns(line)[:2] for line in ran.out.splitlines()]


def test_nothing_is_said_on_standard_error(access: tuple[str, ...], namespace: str) -> None:
    assert dispatch("get", "applications", *access) == (0, "", f"no applications in namespace {namespace}\n")


def test_a_wrong_name_gets_the_nearest(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace)])

    ran = dispatch("get", "applications", "shpo", *access)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: namespace {namespace} has no Application 'shpo': did you mean shop?\n"


def test_a_name_and_all_namespaces_contradict_each_other(kinds: Sandbox) -> None:
    ran = dispatch("get", "applications", "shop", "-A", "--kubeconfig", kinds.home.kubeconfig)

    assert (ran.code, ran.out) == (2, "")
    assert "use -n instead of -A" in ran.err


def test_a_message_cannot_move_the_terminal(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    hostile = {"conditions": [ready("False", "RenderFailed", "\x1b[2Jgone")]}
    put(live, [application("evil", namespace, status=hostile)])

    assert "\x1b" not in dispatch("get", "applications", *access).out


@pytest.mark.parametrize("word", ["application", "applications", "app", "apps"])
def test_every_word_for_applications_works(access: tuple[str, ...], word: str) -> None:
    assert dispatch("get", word, *access).code == 0
