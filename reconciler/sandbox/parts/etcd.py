"""etcd on a Unix socket: no port to race for, and no other user of the machine can read the Secrets in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.sandbox.home import Home
from reconciler.sandbox.parts.part import Part, Spec

# etcd insists on HOST:PORT and takes that whole as the file's name, relative to its working directory.
CLIENT_URL = "unix://client.sock:0"
PEER_URL = "unix://peer.sock:0"


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [
        str(binary),
        "--data-dir=store",
        # The data is thrown away, and waiting for the disk is most of what a write costs.
        "--unsafe-no-fsync",
        f"--listen-client-urls={CLIENT_URL}",
        f"--advertise-client-urls={CLIENT_URL}",
        f"--listen-peer-urls={PEER_URL}",
        f"--initial-advertise-peer-urls={PEER_URL}",
        f"--initial-cluster=default={PEER_URL}",
        "--log-level=warn",
    ]


def clean(home: Home) -> None:
    """A killed etcd leaves its sockets, and would not bind them again."""
    for socket in home.data("etcd").glob("*.sock:0"):
        socket.unlink()


def ready(home: Home) -> bool:
    return (home.data("etcd") / "client.sock:0").exists()


SPEC = Spec(part=Part.ETCD, tool="etcd", title="etcd", command=command, ready=ready, prepare=clean)
