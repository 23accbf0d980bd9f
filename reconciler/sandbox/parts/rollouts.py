"""The Argo Rollouts controller, with its own CRDs and roles, as the service account that an installation gives it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import yaml

from reconciler.sandbox import tools
from reconciler.sandbox.api import Api, path_of
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.home import Home
from reconciler.sandbox.parts.part import Part, Spec

NAMESPACE = "argo-rollouts"
ESTABLISH_SECONDS = 60.0
# Its listeners take all addresses of the machine, and only the port can be chosen. With a port that does not exist it
# logs that it cannot serve metrics and health, and works on.
NO_PORT = 65536


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [
        str(_named(home, binary)),
        f"--kubeconfig={home.component_kubeconfig('rollouts')}",
        f"--namespace={NAMESPACE}",
        "--leader-elect=false",
        f"--metricsPort={NO_PORT}",
        f"--healthzPort={NO_PORT}",
        "--qps=500",
        "--burst=1000",
    ]


def _named(home: Home, binary: Path) -> Path:
    """The binary under the name that it has in its image: what it writes carries that name (its field manager)."""
    link = home.data("rollouts") / "rollouts-controller"
    link.unlink(missing_ok=True)
    link.symlink_to(binary)
    return link


def prepare(home: Home) -> None:
    """What its installation manifest holds, but for the Deployment: that is this process."""
    account = {"kind": "ServiceAccount", "name": "argo-rollouts", "namespace": NAMESPACE}
    with Api(home) as api:
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        with ThreadPoolExecutor() as pool:
            # Together they cost the server half of what they cost one by one: it rebuilds its schema fewer times.
            files = sorted(tools.share("rollouts", "manifests/crds").glob("*-crd.yaml"))
            names = list(pool.map(partial(_apply_crd, api), files))
        for path in (
            *tools.share("rollouts", "manifests/role").glob("*clusterrole.yaml"),
            tools.share("rollouts", "manifests/base") / "argo-rollouts-aggregate-roles.yaml",
            tools.share("rollouts", "manifests/base") / "argo-rollouts-sa.yaml",
            tools.share("rollouts", "manifests/base") / "argo-rollouts-config.yaml",
        ):
            for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                if document["kind"] in ("ServiceAccount", "ConfigMap"):
                    document["metadata"]["namespace"] = NAMESPACE
                api.apply(document)
        api.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "argo-rollouts"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "argo-rollouts"},
                "subjects": [account],
            }
        )
        _await_established(api, names)


def _apply_crd(api: Api, path: Path) -> str:
    """Half a megabyte each: only the name is read here, and a restart does not send it again."""
    text = path.read_bytes()
    name = next(line.split(b":", 1)[1].strip().decode() for line in text.splitlines() if line.startswith(b"  name: "))
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}}
    if not _is_established(api, path_of(crd)):
        api.apply_text(path_of(crd), text)
    return path_of(crd)


def _await_established(api: Api, paths: Sequence[str]) -> None:
    deadline = time.monotonic() + ESTABLISH_SECONDS
    for path in paths:
        while not _is_established(api, path):
            if time.monotonic() > deadline:
                raise SandboxError(f"{path} was not established by the API server within {ESTABLISH_SECONDS:.0f} s")
            time.sleep(0.05)


def _is_established(api: Api, path: str) -> bool:
    # The server writes null before the first condition.
    conditions = (api.get(path) or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def ready(home: Home) -> bool:
    return home.log_says("rollouts", "Started controller")


SPEC = Spec(
    part=Part.ROLLOUTS,
    tool="rollouts",
    title="Argo Rollouts",
    command=command,
    ready=ready,
    needs=(Part.APISERVER,),
    wants=(Part.CONTROLLERS,),
    prepare=prepare,
)
