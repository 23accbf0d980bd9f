"""A real HTTP/1.1 server on loopback that answers as a test tells it, for what an API server cannot be made to say.

A script is a function of the request. It returns the bytes of a whole answer (`answer`, `status`), or drives the
connection by itself (a function of the socket) to stall, to cut off or to stream.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.model.change import Resource

if TYPE_CHECKING:
    from reconciler.adapters.kube import KubeCluster

CONFIGMAPS = Resource("v1", "ConfigMap", "configmaps", True)

Drive = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


Script = Callable[[Asked], "bytes | Drive"]

Start = Callable[..., "tuple[ScriptedServer, KubeCluster]"]
"""Of a script and the options of `connect`: the server, and a cluster that is connected to it."""


def answer(document: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    told = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {code} {HTTPStatus(code).phrase}\r\n{lines}\r\n".encode() + body


def status(
    code: int, reason: str = "", message: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> bytes:
    document = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message, **more}
    return answer(document | ({"reason": reason} if reason else {}), code, headers)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(kind: str, /, **document: Any) -> bytes:
    """One line of a watch, as a chunk."""
    return chunk(json.dumps({"type": kind, "object": document}).encode() + b"\n")


@dataclass
class ScriptedServer:
    """`asked` is what came, in order; `connections` how often somebody connected."""

    script: Script
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> ScriptedServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def kubeconfig(self, folder: Path, user: Mapping[str, Any] | None = None, **cluster: Any) -> Path:
        """A kubeconfig in `folder` that leads here."""
        path = folder / "kubeconfig"
        path.write_text(json.dumps(kubeconfig({"server": self.url, **cluster}, user or {"token": "let-me-in"})))
        return path

    def cut(self) -> None:
        """Reset every connection that is open."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds: float) -> bool:
        """For a script that stalls: True when the server is ending meanwhile."""
        return self._ended.wait(seconds)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            with connection, connection.makefile("rb") as stream:
                while (asked := _read(stream)) is not None:
                    self.asked.append(asked)
                    told = self.script(asked)
                    if callable(told):
                        told(connection)
                        return
                    connection.sendall(told)
        self._open.discard(connection)


def kubeconfig(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "scripted", "cluster": dict(cluster)}],
        "users": [{"name": "somebody", "user": dict(user)}],
        "contexts": [{"name": "here", "context": {"cluster": "scripted", "user": "somebody"}}],
    }


def _read(stream: Any) -> Asked | None:
    first = stream.readline().decode()
    if not first.strip():
        return None
    method, target, _ = first.split()
    headers: dict[str, str] = {}
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(method, target, headers, stream.read(int(headers.get("content-length", 0))))


def configmap(name: str = "web") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}}


def echo(asked: Asked) -> bytes:
    return answer(json.loads(asked.body) if asked.body else {"gitVersion": "v1.2.3"})


class Once:
    """A script that does `first` for the first `times` requests, and then echoes."""

    def __init__(self, first: Any, times: int = 1) -> None:
        self.first = first
        self.left = times
        self.lock = threading.Lock()

    def __call__(self, asked: Asked) -> Any:
        with self.lock:
            self.left -= 1
            return self.first if self.left >= 0 else echo(asked)
