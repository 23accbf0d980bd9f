"""The command as its users run it, and documents of our kinds on a real API server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from click.testing import CliRunner

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.model.change import Refusal, Resource
from reconciler.model.crd import definitions
from reconciler.model.outcome import StageError
from reconciler.sandbox.platform import Sandbox

_MAIN = "from reconciler.cli.main import main; main()"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def dispatch(*words: str | Path) -> Ran:
    """`dispatch WORDS` in this process; an outcome that is raised ends it as `main` does."""
    from reconciler.cli.main import dispatch as command

    result = CliRunner().invoke(command, [str(word) for word in words], prog_name="dispatch")
    if isinstance(result.exception, StageError):
        return Ran(2, result.stdout, f"{result.stderr}error: {result.exception.message}\n")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def dispatch_process(
    *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, main: str = _MAIN
) -> Ran:
    """`dispatch WORDS` in a process of its own."""
    arguments = [sys.executable, "-c", main, *map(str, words)]
    done = subprocess.run(arguments, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def install_kinds(sandbox: Sandbox) -> None:
    """Our two kinds, served."""
    with closing(connect(sandbox.home.kubeconfig)) as cluster:
        put(cluster, definitions())
        while cluster.resource("dispatch.dev/v1alpha1", "Repository") is None:
            cluster.invalidate()


def put(cluster: KubeCluster, documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Apply documents, each with its status, and return them as the server has them."""
    stored = []
    for document in documents:
        resource = cluster.resource(document["apiVersion"], document["kind"])
        assert resource is not None, document
        wanted = {key: value for key, value in document.items() if key != "status"}
        (answer,) = cluster.apply([(resource, wanted)])
        metadata = document["metadata"]
        if document.get("status") and not isinstance(answer, Refusal):
            patch = {"status": document["status"]}
            answer = cluster.patch(resource, metadata.get("namespace", ""), metadata["name"], patch, "status")
        assert not isinstance(answer, Refusal), answer
        stored.append(answer)
    return stored


def application(name: str, namespace: str, *, status: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """An Application of the folder `apps/NAME` in the Repository `config`."""
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"source": {"repository": "config", "path": f"apps/{name}"}, **spec},
        **({"status": dict(status)} if status is not None else {}),
    }


def repository(name: str, namespace: str, *, status: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Repository",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"url": "https://git.example.com/config.git", **spec},
        **({"status": dict(status)} if status is not None else {}),
    }


def ready(status: str, reason: str, message: str, **more: Any) -> dict[str, Any]:
    """A condition."""
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-23T15:00:00Z",
        **more,
    }


def kubeconfig(path: Path, server: str, token: str, authority: Path | None = None) -> Path:
    cluster = {"server": server, **({"certificate-authority": str(authority)} if authority else {})}
    document = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": cluster}],
        "users": [{"name": "x", "user": {"token": token}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def service_account(live: KubeCluster, sandbox: Sandbox, namespace: str, file: Path) -> tuple[Path, str]:
    """A kubeconfig for an account without any right; and its token."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": namespace}}
    put(live, [account])
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    answer = live.create(Resource("v1", "TokenRequest", "serviceaccounts/nobody/token", True), namespace, request)
    assert not isinstance(answer, Refusal), answer
    token = answer["status"]["token"]
    return kubeconfig(file, sandbox.home.api_url, token, sandbox.home.authority), token


def may(live: KubeCluster, namespace: str, *rules: Mapping[str, Any]) -> None:
    """Give the account of `service_account` these rights in the namespace."""
    rbac = "rbac.authorization.k8s.io"
    place = {"name": "team", "namespace": namespace}
    subject = {"kind": "ServiceAccount", "name": "nobody", "namespace": namespace}
    role = {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": place, "rules": list(rules)}
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": place,
        "subjects": [subject],
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "team"},
    }
    put(live, [role, binding])
