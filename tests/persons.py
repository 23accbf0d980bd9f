"""People at a real API server: known by name, with the rights that roles give them and no others."""

from __future__ import annotations

from pathlib import Path

from command_line import kubeconfig, put

from reconciler.adapters.kube.cluster import KubeCluster
from reconciler.cli.install import apply
from reconciler.core.installation import Installation, objects
from reconciler.model.change import Refusal, Resource
from reconciler.sandbox.platform import Sandbox

_RBAC = "rbac.authorization.k8s.io"


def install(kube: KubeCluster) -> None:
    """As `dispatch install` does it."""
    apply(kube, objects(Installation()))


def user(space: str, name: str) -> str:
    """The name by which the API server knows somebody."""
    return f"system:serviceaccount:{space}:{name}"


def person(kube: KubeCluster, sandbox: Sandbox, space: str, name: str, file: Path) -> Path:
    """Somebody without any right; their kubeconfig."""
    put(kube, [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": space}}])
    wish = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    answer = kube.create(Resource("v1", "TokenRequest", f"serviceaccounts/{name}/token", True), space, wish)
    assert not isinstance(answer, Refusal), answer
    return kubeconfig(file, sandbox.home.api_url, answer["status"]["token"], sandbox.home.authority)


def bind(kube: KubeCluster, space: str, name: str, role: str) -> None:
    """Give somebody a ClusterRole in the namespace."""
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{name}-{role}", "namespace": space},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space}],
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
    }
    put(kube, [binding])
