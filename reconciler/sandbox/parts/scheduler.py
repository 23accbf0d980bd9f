"""kube-scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import urllib3

from reconciler.sandbox.home import Home
from reconciler.sandbox.parts.part import API_CLIENT_LIMITS, Part, Spec


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [
        str(binary),
        f"--kubeconfig={home.component_kubeconfig('scheduler')}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={home.data('scheduler')}",
        *API_CLIENT_LIMITS,
    ]


def ready(home: Home) -> bool:
    """Its caches are filled. Its own certificate is the authority, so no stranger on the port can answer for it."""
    certificate = home.data("scheduler") / "kube-scheduler.crt"
    if not certificate.exists():
        return False
    with urllib3.PoolManager(ca_certs=str(certificate), retries=False, timeout=5) as pool:
        try:
            return pool.request("GET", f"https://127.0.0.1:{home.port('scheduler')}/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False


SPEC = Spec(
    part=Part.SCHEDULER,
    tool="kube-scheduler",
    title="the scheduler",
    command=command,
    ready=ready,
    needs=(Part.APISERVER,),
    port=True,
)
