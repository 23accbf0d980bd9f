"""kube-apiserver: serving TLS by a certificate of its own making, with RBAC and service account tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.sandbox import credentials
from reconciler.sandbox.home import Home
from reconciler.sandbox.parts import etcd
from reconciler.sandbox.parts.part import Part, Spec


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [
        str(binary),
        f"--etcd-servers={etcd.CLIENT_URL}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        # A loopback address is no valid endpoint of the `kubernetes` Service.
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--cert-dir={home.certificates}",
        f"--token-auth-file={home.tokens}",
        "--authorization-mode=RBAC",
        f"--service-account-key-file={home.signing_key}",
        f"--service-account-signing-key-file={home.signing_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--allow-privileged=true",
        "--profiling=false",
    ]


def prepare(home: Home) -> None:
    credentials.write_tokens(home)
    credentials.write_signing_key(home)


def ready(home: Home) -> bool:
    from reconciler.sandbox.api import Api

    if not home.authority.exists():
        return False
    with Api(home) as api:
        return api.ready()


SPEC = Spec(
    part=Part.APISERVER,
    tool="kube-apiserver",
    title="the API server",
    command=command,
    ready=ready,
    needs=(Part.ETCD,),
    port=True,
    prepare=prepare,
    finish=credentials.write_kubeconfigs,
    directory=Part.ETCD,
)
