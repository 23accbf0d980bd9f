"""Which addresses a registry may lead us to, and which of them may see what is secret."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|\[::1\]")
# Docker Hub's images are named by one host and served by another.
_SERVED_BY = {"docker.io": "registry-1.docker.io"}


def root_of(host: str) -> str:
    """The URL of a registry: https, and plain http on this machine only."""
    return f"{'http' if is_loopback(host) else 'https'}://{_SERVED_BY.get(host, host)}"


def is_loopback(host: str) -> bool:
    """Of a host with or without a port."""
    bare = host if host.endswith("]") else host.rpartition(":")[0] or host
    return _LOOPBACK.fullmatch(bare) is not None


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def may_lead(url: str, host: str) -> bool:
    """Whether the registry at `host` may send us to `url`: https anywhere; plain http only from this machine to itself.

    So no registry makes us ask something on our own machine or network in the clear.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or not parts.netloc:
        return False
    if is_loopback(parts.netloc) or parts.scheme == "http":
        return parts.scheme in ("http", "https") and is_loopback(parts.netloc) and is_loopback(host)
    return parts.scheme == "https"
