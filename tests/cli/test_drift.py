"""`dispatch drift`: who changed what, as a table, a report or data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from command_line import application, dispatch, put

from reconciler.adapters.kube.cluster import KubeCluster
from reconciler.sandbox.platform import Sandbox


def entry(**more: Any) -> dict[str, Any]:
    return {
        "object": "Deployment.apps/shop/web",
        "field": "/spec/replicas",
        "drift": "changed",
        "wanted": "2",
        "live": "5",
        "manager": "kubectl-edit",
        "operation": "Update",
        "at": "2026-11-23T14:59:00Z",
        "seen": "2026-11-23T15:00:00Z",
        **more,
    }


CORRECTED = entry(
    field="/metadata/labels/a|b", live="`x` | <b>@all\n</b>", corrected="2026-11-23T15:00:01Z", manager="bob"
)


def test_the_table_names_field_author_and_time(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status={"drift": [entry()]})])

    lines = dispatch("drift", "shop", *access).out.splitlines()

    assert lines[0].split() == ["OBJECT", "FIELD", "CLASS", "WANTED", "LIVE", "MANAGER", "WHEN", "SEEN", "CORRECTED"]
    assert [cell.strip() for cell in lines[1].split("   ") if cell.strip()] == [
        "Deployment.apps/shop/web",
        "/spec/replicas",
        "changed",
        "2",
        "5",
        "kubectl-edit",
        "2026-11-23 14:59:00Z",
        "2026-11-23 15:00:00Z",
    ]


def test_several_applications_are_named(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status={"drift": [entry()]})])
    put(live, [application("pay", namespace, status={"drift": [entry(drift="missing", field="")]})])

    lines = dispatch("drift", *access).out.splitlines()

    assert [line.split()[0] for line in lines] == ["APPLICATION", f"{namespace}/pay", f"{namespace}/shop"]


def test_json_has_every_value(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status={"drift": [entry(), CORRECTED]})])

    first, second = json.loads(dispatch("drift", "shop", *access, "-o", "json").out)

    assert first == {
        "application": "shop",
        "namespace": namespace,
        "object": "Deployment.apps/shop/web",
        "field": "/spec/replicas",
        "class": "changed",
        "wanted": "2",
        "live": "5",
        "manager": "kubectl-edit",
        "operation": "Update",
        "at": "2026-11-23T14:59:00Z",
        "seen": "2026-11-23T15:00:00Z",
        "corrected": None,
        "hint": "",
    }
    assert second["corrected"] == "2026-11-23T15:00:01Z"


def test_markdown_is_a_report(live: KubeCluster, access: tuple[str, ...], namespace: str) -> None:
    put(live, [application("shop", namespace, status={"drift": [entry(), CORRECTED]})])

    lines = dispatch("drift", "shop", *access, "-o", "markdown").out.splitlines()

    assert lines[0] == f"## Drift in {namespace}/shop"
    assert lines[2] == "2 fields were changed in the cluster; 1 of them still differ from Git."
    assert lines[4].startswith("| OBJECT | FIELD | CLASS |")
    assert lines[5] == "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    assert lines[6].startswith("| `Deployment.apps/shop/web` | `/spec/replicas` | `changed` | `2` | `5` |")
    assert "`/metadata/labels/a\\|b`" in lines[7]
    assert "`'x' \\| <b>@all </b>`" in lines[7]
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("form", "words"),
    [("table", "no drift in namespace "), ("markdown", "Nothing differs from Git."), ("json", "[]")],
)
def test_no_drift_is_said(access: tuple[str, ...], form: str, words: str) -> None:
    ran = dispatch("drift", *access, "-o", form)

    assert (ran.code, ran.err) == (0, "")
    assert words in ran.out


def test_all_namespaces(live: KubeCluster, kinds: Sandbox, namespace: str) -> None:
    put(live, [application("shop", namespace, status={"drift": [entry()]})])

    ran = dispatch("drift", "-A", "-o", "json", "--kubeconfig", kinds.home.kubeconfig)

    assert namespace in {row["namespace"] for row in json.loads(ran.out)}


def test_a_name_and_all_namespaces_contradict_each_other(kinds: Sandbox) -> None:
    assert dispatch("drift", "shop", "-A", "--kubeconfig", kinds.home.kubeconfig).code == 2


def test_a_version_on_its_way_one_that_was_aborted_and_one_that_waits_are_in_the_report(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    rollout = {"object": f"Rollout.argoproj.io/{namespace}/shop", "revision": "b" * 40, "phase": "Paused", "step": 1}
    held = {**rollout, "steps": 4, "decision": "hold", "message": "waits for a person"}
    promoted = {"revision": "a" * 40, "templates": {}, "at": "2026-11-23T15:00:00Z"}
    queued = {"revision": f"main@sha1:{'c' * 40}", "running": "b" * 40, "reason": "RevisionQueued", "message": "waits"}
    put(
        live,
        [
            application("shop", namespace, status={"rollouts": [held], "promoted": promoted, "queued": queued}),
            application(
                "till", namespace, status={"rollouts": [{**held, "decision": "failed", "message": "5% errors"}]}
            ),
            application(
                "calm", namespace, status={"rollouts": [{**held, "decision": "promoted"}], "promoted": promoted}
            ),
        ],
    )

    rows = json.loads(dispatch("drift", "-o", "json", *access).out)

    told = [(row["application"], row["class"], row["wanted"], row["live"], row["hint"]) for row in rows]
    assert told == [
        ("shop", "on its way", "b" * 10, "a" * 10, "waits for a person"),
        ("shop", "Git ahead", f"main@{'c' * 10}", "b" * 10, "waits"),
        ("till", "Git ahead", "b" * 10, "", "5% errors"),
    ]
    table = dispatch("drift", *access).out
    assert f"Rollout.argoproj.io/{namespace}/shop: waits for a person" in table
    assert "0 fields were changed" in dispatch("drift", "-o", "markdown", *access).out


def test_a_version_that_was_put_back_by_hand_says_what_to_do(
    live: KubeCluster, access: tuple[str, ...], namespace: str
) -> None:
    undone = entry(field="/spec/template/spec/containers/[name=web]/image", manager="kubectl-argo-rollouts")
    put(live, [application("shop", namespace, status={"drift": [undone, CORRECTED]})])

    assert "revert in Git to keep it" in dispatch("drift", "shop", *access).out
