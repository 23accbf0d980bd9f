"""kube-controller-manager: Deployments, Jobs, garbage collection, namespaces, service accounts and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.sandbox.home import Home
from reconciler.sandbox.parts.part import API_CLIENT_LIMITS, Part, Spec


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [
        str(binary),
        f"--kubeconfig={home.component_kubeconfig('controllers')}",
        f"--service-account-private-key-file={home.signing_key}",
        f"--root-ca-file={home.authority}",
        "--use-service-account-credentials=true",
        # There is one; without the election a restart does not wait for the old lease to expire.
        "--leader-elect=false",
        "--secure-port=0",
        *API_CLIENT_LIMITS,
    ]


def ready(home: Home) -> bool:
    """They run, and their work is seen: the service account that a Pod of the namespace `default` needs."""
    from reconciler.sandbox.api import Api

    if not home.log_says("controllers", '"Starting controller" controller="garbagecollector"'):
        return False
    with Api(home) as api:
        return api.get("/api/v1/namespaces/default/serviceaccounts/default") is not None


SPEC = Spec(
    part=Part.CONTROLLERS,
    tool="kube-controller-manager",
    title="the controllers",
    command=command,
    ready=ready,
    needs=(Part.APISERVER,),
)
