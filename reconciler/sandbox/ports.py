"""Free TCP ports of the loopback address."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 10_000
TRIES = 50


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As a server would: connections of a former listener that still linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose() -> int:
    """A port that is free now, below those that the kernel gives to outgoing connections (ip(7), ip_local_port_range).

    Those could be taken while a killed server is down, and a client that retries can even connect to itself.
    """
    highest = _first_ephemeral() - 1
    if highest - LOWEST > 1000:
        for _ in range(TRIES):
            port = random.randint(LOWEST, highest)  # noqa: S311 (not a secret)
            if is_free(port):
                return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_ephemeral() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return 32_768
