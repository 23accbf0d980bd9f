"""Each part does its work on real objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3
from sandbox.watching import eventually
from sandbox_fixtures import fresh_namespace

from reconciler.sandbox import credentials
from reconciler.sandbox.platform import Part, Sandbox

LISTENING = "0A"
LOOPBACK = "0100007F"


class Client:
    """Any object of the API server, by its collection's path."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = sandbox.urls["kubernetes"]
        self.pool = urllib3.PoolManager(ca_certs=str(sandbox.home.authority), retries=False)
        self.token = credentials.token(sandbox.home, "administrator")

    def create(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        answer = self.pool.request("POST", self.url + collection, body=json.dumps(body), headers=headers)
        assert answer.status == 201, answer.data
        made: dict[str, Any] = answer.json()
        return made

    def get(self, path: str, token: str | None = None) -> urllib3.BaseHTTPResponse:
        return self.pool.request("GET", self.url + path, headers={"Authorization": f"Bearer {token or self.token}"})

    def condition(self, path: str, wanted: str) -> bool:
        conditions = self.get(path).json().get("status", {}).get("conditions", [])
        return any(each["type"] == wanted and each["status"] == "True" for each in conditions)


def workload(kind: str, name: str, trouble: str = "", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    annotations = {"dispatch.dev/sandbox-pod": trouble, "dispatch.dev/sandbox-delay": "3s"} if trouble else {}
    pod: dict[str, Any] = {"containers": [{"name": "main", "image": "example.invalid/main:1"}]}
    if kind == "Job":
        pod["restartPolicy"] = "Never"
        spec |= {"backoffLimit": 0}
    else:
        spec |= {"selector": {"matchLabels": labels}}
    template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod}
    return {"kind": kind, "metadata": {"name": name}, "spec": spec | {"template": template}}


def pod_of(client: Client, namespace: str, name: str) -> dict[str, Any]:
    pods = client.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector=app%3D{name}").json()["items"]
    return pods[0]["status"] if pods else {}


def is_ready(status: dict[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", []))


def waiting_reason(status: dict[str, Any]) -> str:
    return "".join(each["state"].get("waiting", {}).get("reason", "") for each in status.get("containerStatuses", []))


def test_the_nodes_are_ready_in_three_zones(cluster: Sandbox) -> None:
    nodes = Client(cluster).get("/api/v1/nodes").json()["items"]
    assert len({node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes}) == len(nodes) == 3
    assert all(is_ready(node["status"]) for node in nodes)
    assert {node["status"]["allocatable"]["pods"] for node in nodes} == {"1k"}


def test_a_deployment_becomes_available_and_a_job_completes(cluster: Sandbox) -> None:
    client, namespace = Client(cluster), fresh_namespace(cluster)
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    client.create(deployments, workload("Deployment", "web", replicas=2))
    client.create(jobs, workload("Job", "once"))
    eventually("the Deployment is available", lambda: client.condition(f"{deployments}/web", "Available"))
    eventually("the Job is complete", lambda: client.condition(f"{jobs}/once", "Complete"))


def test_pods_show_the_trouble_that_their_annotation_asks_for(cluster: Sandbox) -> None:
    client, namespace = Client(cluster), fresh_namespace(cluster)
    for trouble in ("crash", "no-image", "unready", "slow"):
        client.create(
            f"/apis/apps/v1/namespaces/{namespace}/deployments", workload("Deployment", trouble, trouble, replicas=1)
        )
    client.create(f"/apis/batch/v1/namespaces/{namespace}/jobs", workload("Job", "job", "crash"))

    def status(name: str) -> dict[str, Any]:
        return pod_of(client, namespace, name)

    eventually("it crashes", lambda: waiting_reason(status("crash")) == "CrashLoopBackOff")
    eventually("it has no image", lambda: waiting_reason(status("no-image")) == "ImagePullBackOff")
    eventually("it runs unready", lambda: status("unready").get("phase") == "Running")
    assert not is_ready(status("slow"))
    eventually("the slow one is ready", lambda: is_ready(status("slow")))
    assert not any(is_ready(status(name)) for name in ("crash", "no-image", "unready"))
    eventually("the Job failed", lambda: client.condition(f"/apis/batch/v1/namespaces/{namespace}/jobs/job", "Failed"))


def test_a_namespace_can_be_deleted(cluster: Sandbox) -> None:
    client, namespace = Client(cluster), fresh_namespace(cluster)
    path = f"/api/v1/namespaces/{namespace}"
    client.create(f"{path}/configmaps", {"metadata": {"name": "in-it"}})
    headers = {"Authorization": f"Bearer {client.token}"}
    assert client.pool.request("DELETE", client.url + path, headers=headers).status == 200
    eventually("it is gone", lambda: client.get(path).status == 404)


def test_a_service_account_gets_a_token_that_has_only_its_own_rights(cluster: Sandbox) -> None:
    client, namespace = Client(cluster), fresh_namespace(cluster)
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    client.create(accounts, {"metadata": {"name": "robot"}})
    token = client.create(f"{accounts}/robot/token", {"spec": {}})["status"]["token"]
    assert client.get(f"/api/v1/namespaces/{namespace}/secrets", token).status == 403
    binding = {
        "metadata": {"name": "robot"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": namespace}],
    }
    client.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding)
    eventually("it may", lambda: client.get(f"/api/v1/namespaces/{namespace}/secrets", token).status == 200)
    assert client.get("/api/v1/namespaces/default/secrets", token).status == 403


def test_argo_rollouts_walks_a_rollout_to_healthy(platform: Sandbox) -> None:
    client, namespace = Client(platform), fresh_namespace(platform)
    rollouts = f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts"
    body = workload("Rollout", "web", replicas=2, strategy={"canary": {"steps": [{"setWeight": 50}]}})
    client.create(rollouts, body | {"apiVersion": "argoproj.io/v1alpha1"})
    eventually(
        "it is healthy", lambda: client.get(f"{rollouts}/web").json().get("status", {}).get("phase") == "Healthy"
    )


def test_argo_rollouts_has_the_rights_of_its_own_installation_and_no_more(platform: Sandbox) -> None:
    client = Client(platform)
    token = credentials.token(platform.home, "rollouts")
    assert client.get("/apis/argoproj.io/v1alpha1/rollouts", token).status == 200
    assert client.get("/api/v1/nodes", token).status == 403


def test_no_part_listens_beyond_the_loopback_address(metrics: Sandbox, gitea: Sandbox, image_store: Sandbox) -> None:
    pids = [part.pid for sandbox in (metrics, gitea, image_store) for part in sandbox.status()]
    assert len(pids) == len(Part)
    sockets = {str(fd.readlink()) for pid in pids for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    rows = [line.split() for table in ("tcp", "tcp6") for line in _rows(table)]
    addresses = {row[1].split(":")[0] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in sockets}
    assert addresses == {LOOPBACK}


def _rows(table: str) -> list[str]:
    return Path(f"/proc/net/{table}").read_text().splitlines()[1:]


def test_gitea_has_an_administrator_with_a_password_and_a_token(gitea: Sandbox) -> None:
    access = gitea.gitea
    user = f"{access.url}/api/v1/user"
    pool = urllib3.PoolManager()
    by_token = pool.request("GET", user, headers={"Authorization": f"token {access.token}"})
    by_password = urllib3.make_headers(basic_auth=f"{access.username}:{access.password}")
    assert by_token.json()["is_admin"] is True
    assert pool.request("GET", user, headers=by_password).json()["login"] == access.username
    assert pool.request("GET", user).status == 401
    assert gitea.home.gitea_access.stat().st_mode & 0o077 == 0
    assert access.password not in repr(access)
    assert access.token not in repr(access)


def test_gitea_serves_git(gitea: Sandbox) -> None:
    access = gitea.gitea
    headers = {"Authorization": f"token {access.token}", "Content-Type": "application/json"}
    body = json.dumps({"name": "configuration", "auto_init": True})
    made = urllib3.PoolManager().request("POST", f"{access.url}/api/v1/user/repos", body=body, headers=headers)
    assert made.status == 201, made.data
    references = f"{access.url}/{access.username}/configuration.git/info/refs?service=git-upload-pack"
    assert b"refs/heads/main" in urllib3.PoolManager().request("GET", references).data


@pytest.mark.parametrize("part", ["apiserver", "controllers", "scheduler", "kwok"])
def test_status_tells_memory_and_time_of_each_part(cluster: Sandbox, part: str) -> None:
    (found,) = (each for each in cluster.status() if each.part == part)
    assert found.state == "running"
    assert 20 << 20 < found.memory < 2 << 30
    assert found.since.endswith("Z")
    assert Path(found.log).exists()
