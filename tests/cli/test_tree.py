"""`dispatch tree`: an Application's objects, what they own, and how each is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import application, dispatch, install_kinds, may, put, service_account
from sandbox_fixtures import fresh_namespace
from team import eventually

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.core.applyset import CONTAINS, PART_OF, applyset_id
from reconciler.sandbox.platform import Sandbox

REVISION = "main@sha1:0123456789abcdef0123456789abcdef01234567"


def parent(name: str, namespace: str, kinds: str, **status: Any) -> dict[str, Any]:
    document = application(name, namespace, status={"sync": "Synced", "health": "Healthy", **status})
    document["metadata"]["annotations"] = {CONTAINS: kinds}
    return document


def member(application: str, namespace: str, api_version: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:
    labels = {PART_OF: applyset_id(application, namespace)}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def deployment(application: str, namespace: str, name: str, replicas: int) -> dict[str, Any]:
    pod = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "web", "image": "example.com/web:1"}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod}
    return member(application, namespace, "apps/v1", "Deployment", name, spec=spec)


@pytest.fixture
def whole(cluster: Sandbox) -> Iterator[KubeCluster]:
    """A cluster with controllers, so that Deployments have ReplicaSets and Pods."""
    install_kinds(cluster)
    with closing(connect(cluster.home.kubeconfig)) as connection:
        yield connection


def tree(sandbox: Sandbox, *words: str) -> str:
    ran = dispatch("tree", *words, "--kubeconfig", sandbox.home.kubeconfig)
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def test_what_controllers_make_hangs_below_what_people_wrote(cluster: Sandbox, whole: KubeCluster) -> None:
    namespace = fresh_namespace(cluster)
    service = member(
        "shop",
        namespace,
        "v1",
        "Service",
        "web",
        spec={"selector": {"app": "web"}, "ports": [{"port": 80}]},
    )
    put(
        whole,
        [
            parent(
                "shop",
                namespace,
                "Deployment.apps,Service,ConfigMap",
                applied={"revision": REVISION, "at": "2026-11-23T15:00:00Z"},
            )
        ],
    )
    put(
        whole,
        [member("shop", namespace, "v1", "ConfigMap", "settings"), service, deployment("shop", namespace, "web", 2)],
    )

    def settled() -> list[str]:
        lines = tree(cluster, "shop", "-n", namespace).splitlines()
        return lines if sum("Pod/" in line and "Healthy" in line for line in lines) == 2 else []

    lines = eventually(settled)

    assert lines[0] == f"Application {namespace}/shop  Synced  Healthy  main@0123456789"
    assert lines[1] == f"├─ ConfigMap/{namespace}/settings  Healthy"
    assert lines[2] == f"├─ Service/{namespace}/web  Healthy"
    assert lines[3].startswith(f"│  └─ EndpointSlice.discovery.k8s.io/{namespace}/web-")
    assert lines[4].startswith(f"└─ Deployment.apps/{namespace}/web  ")
    assert lines[5].startswith(f"   └─ ReplicaSet.apps/{namespace}/web-")
    assert lines[6].startswith(f"      ├─ Pod/{namespace}/web-")
    assert lines[7].startswith(f"      └─ Pod/{namespace}/web-")
    assert len(lines) == 8


def test_json_nests_what_is_owned(cluster: Sandbox, whole: KubeCluster) -> None:
    namespace = fresh_namespace(cluster)
    put(whole, [parent("shop", namespace, "Deployment.apps"), deployment("shop", namespace, "web", 1)])

    def settled() -> dict[str, Any]:
        found = json.loads(tree(cluster, "shop", "-n", namespace, "-o", "json"))
        (root,) = found["children"]
        pods = [pod for replicas in root["children"] for pod in replicas["children"]]
        return found if [pod["level"] for pod in pods] == ["Healthy"] else {}

    found = eventually(settled)

    assert (found["ref"], found["sync"]) == (f"Application.dispatch.dev/{namespace}/shop", "Synced")
    (root,) = found["children"]
    assert root["ref"] == f"Deployment.apps/{namespace}/web"
    (replicas,) = root["children"]
    assert replicas["ref"].startswith(f"ReplicaSet.apps/{namespace}/web-")


def test_replica_sets_of_earlier_revisions_are_left_out(cluster: Sandbox, whole: KubeCluster) -> None:
    namespace = fresh_namespace(cluster)
    put(whole, [parent("shop", namespace, "Deployment.apps")])
    first = deployment("shop", namespace, "web", 1)
    put(whole, [first])
    sets = whole.resource("apps/v1", "ReplicaSet")
    assert sets is not None
    eventually(lambda: [*whole.listing(sets, namespace)])
    first["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/web:2"
    put(whole, [first])

    def running() -> list[str]:
        """The names of those that run something, once the first one has ended."""
        found = {each["metadata"]["name"]: each for each in whole.listing(sets, namespace)}
        alive = [
            name
            for name, each in found.items()
            if each["spec"]["replicas"] or (each.get("status") or {}).get("replicas")
        ]
        return alive if (len(found), len(alive)) == (2, 1) else []

    (name,) = eventually(running)
    lines = [line for line in tree(cluster, "shop", "-n", namespace).splitlines() if "ReplicaSet" in line]
    assert [line.split()[1] for line in lines] == [f"ReplicaSet.apps/{namespace}/{name}"]


def test_the_objects_of_others_are_not_shown(live: KubeCluster, kinds: Sandbox, namespace: str) -> None:
    put(live, [parent("shop", namespace, "ConfigMap"), member("other", namespace, "v1", "ConfigMap", "theirs")])
    put(live, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nobodys", "namespace": namespace}}])

    assert tree(kinds, "shop", "-n", namespace).splitlines() == [
        f"Application {namespace}/shop  Synced  Healthy",
        "└─ no objects yet",
    ]


def test_what_is_missing_and_why_it_is_not_ready_is_shown(live: KubeCluster, kinds: Sandbox, namespace: str) -> None:
    status = {
        "health": "Missing",
        "conditions": [
            {
                "type": "Ready",
                "status": "Unknown",
                "reason": "Progressing",
                "message": "waiting for web",
                "lastTransitionTime": "2026-11-23T15:00:00Z",
            }
        ],
        "unhealthy": [{"object": f"Deployment.apps/{namespace}/web", "level": "Missing", "message": "not there"}],
    }
    put(live, [parent("shop", namespace, "ConfigMap", **status), member("shop", namespace, "v1", "ConfigMap", "a")])

    assert tree(kinds, "shop", "-n", namespace).splitlines() == [
        f"Application {namespace}/shop  Synced  Missing",
        "│  waiting for web",
        f"├─ ConfigMap/{namespace}/a  Healthy",
        f"└─ Deployment.apps/{namespace}/web  Missing: not there",
    ]


def test_an_application_that_is_not_there(kinds: Sandbox, namespace: str) -> None:
    ran = dispatch("tree", "shop", "-n", namespace, "--kubeconfig", kinds.home.kubeconfig)

    assert (ran.code, ran.out) == (2, "")
    assert "has no Application 'shop'" in ran.err


def test_kinds_that_may_not_be_listed_are_named(
    live: KubeCluster, kinds: Sandbox, namespace: str, tmp_path: Path
) -> None:
    put(live, [parent("shop", namespace, "ConfigMap"), member("shop", namespace, "v1", "ConfigMap", "settings")])
    file, _ = service_account(live, kinds, namespace, tmp_path / "config")
    may(live, namespace, {"apiGroups": ["dispatch.dev"], "resources": ["applications"], "verbs": ["get"]})

    ran = dispatch("tree", "shop", "-n", namespace, "--kubeconfig", file)

    assert (ran.code, ran.out.splitlines()[-1]) == (0, "└─ no objects yet")
    assert ran.err.startswith("not shown: ")
    assert "configmaps" in ran.err
