"""Every kind of Git host that a source is held to: a folder, HTTP with a password, HTTPS with an own authority, SSH."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import trustme
from adapters.git.http_host import HttpHost
from adapters.git.ssh_host import SshHost

from reconciler.ports import GitCredentials, Remote


class Host(NamedTuple):
    """`root` holds the repositories, `remote` gives the Remote of one by name, `stop` ends the host."""

    root: Path
    remote: Callable[[str], Remote]
    stop: Callable[[], None]


def _folder(root: Path) -> Host:
    return Host(root, lambda name: Remote(f"file://{root}/{name}", None, 30), lambda: shutil.rmtree(root))


def _http(root: Path) -> Host:
    host = HttpHost(root, login=("ada", "pass word"))
    given = GitCredentials(username="ada", password="pass word")
    return Host(root, lambda name: Remote(f"{host.origin}/{name}", given, 30), host.stop)


def _https(root: Path) -> Host:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    host = HttpHost(root, login=("git", "a-token"), tls=context)
    given = GitCredentials(password="a-token\n", ca=authority.cert_pem.bytes().decode())
    return Host(root, lambda name: Remote(f"{host.origin}/{name}", given, 30), host.stop)


def _ssh(root: Path) -> Host:
    host = SshHost(root)
    given = GitCredentials(ssh_key=host.private_key, known_hosts=host.known_hosts)
    return Host(root, lambda name: Remote(f"{host.origin}/{name}", given, 30), host.stop)


HOSTS = {"folder": _folder, "http": _http, "https": _https, "ssh": _ssh}
