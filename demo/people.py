"""People with rights of their own. A sandbox knows no users but its administrator, so they are service accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import Refusal, Resource

_RBAC = "rbac.authorization.k8s.io"
_TOKENS = "serviceaccounts/{name}/token"


def invite(cluster: KubeCluster, kubeconfig: Path, home: str, name: str, roles: Mapping[str, str]) -> None:
    """Make `name` an account of the namespace `home`, with a ClusterRole in each namespace of `roles`, and a context of
    the kubeconfig by that name.
    """
    account: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": home},
    }
    subject = {"kind": "ServiceAccount", "name": name, "namespace": home}
    bindings: list[dict[str, Any]] = [
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": namespace},
            "subjects": [subject],
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        }
        for namespace, role in roles.items()
    ]
    for document in (account, *bindings):
        resource = cluster.resource(str(document["apiVersion"]), str(document["kind"]))
        assert resource is not None
        (answer,) = cluster.apply([(resource, document)])
        assert not isinstance(answer, Refusal), answer
    _write(kubeconfig, name, _token(cluster, home, name))


def _token(cluster: KubeCluster, home: str, name: str) -> str:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = cluster.create(Resource("v1", "TokenRequest", _TOKENS.format(name=name), True), home, request)
    assert not isinstance(answer, Refusal), answer
    token: str = answer["status"]["token"]
    return token


def _write(kubeconfig: Path, name: str, token: str) -> None:
    document = json.loads(kubeconfig.read_text())
    document["users"].append({"name": name, "user": {"token": token}})
    document["contexts"].append({"name": name, "context": {"cluster": document["clusters"][0]["name"], "user": name}})
    kubeconfig.write_text(json.dumps(document, indent=2))
