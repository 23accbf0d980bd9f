"""The HTTP server of the controller: one thread, one event loop, started and stopped from outside.

uvicorn's pure HTTP/1.1 (h11) is enough: Argo Rollouts asks each waiting gate every few seconds.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Callable

import uvicorn

from reconciler.model.outcome import Reason, Terminal
from reconciler.web.gates import Answer, application
from reconciler.web.git_hooks import Begin
from reconciler.web.hooks import Take

log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"^(?:\[([0-9A-Fa-f:.%]+)\]|([^:\[\]]*)):([0-9]{1,5})$")
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 (all addresses of this machine: this is one)
_BACKLOG = 128
_AT_ONCE = 256
"""Connections over this number are answered 503, which holds a step: a flood must not eat the controller's memory."""


class Gatehouse:
    """Takes its address at once, so that the gates can be told to Argo Rollouts; answers from `start` until `stop`.

    `address` is `HOST:PORT` as it is bound.
    """

    def __init__(self, listen: str) -> None:
        """`listen` is `HOST:PORT`; port 0 lets the system choose. Raises Terminal(INVALID_SPEC) when it is taken."""
        self._socket = _bound(listen)
        host, port = self._socket.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where a process of this machine reaches it."""
        host, _, port = self.address.rpartition(":")
        return f"http://{_LOOPBACK.get(host, host)}:{port}"

    def start(
        self,
        answer: Answer,
        ready: Callable[[], bool],
        take: Take | None = None,
        standing: Callable[[], str] = lambda: "",
        begin: Begin | None = None,
    ) -> None:
        """Answer from now on, in a thread of its own."""
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(answer, ready, take, standing, begin),
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="warning",
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_AT_ONCE,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._serve, args=(self._server,), name="gates", daemon=True)
        self._thread.start()
        log.info("answering gates", extra={"why": f"at {self.address}"})

    def stop(self) -> bool:
        """Stop listening and end the answers under way; True when that was done within 2 seconds."""
        if self._server is None or self._thread is None:
            self._socket.close()
            return True
        self._server.should_exit = True
        self._thread.join(2.0)
        self._socket.close()
        return not self._thread.is_alive()

    def _serve(self, server: uvicorn.Server) -> None:
        try:
            asyncio.run(server.serve(sockets=[self._socket]))
        except Exception:
            log.exception("the gates are not answered any more: steps that wait for one stay where they are")


def _bound(listen: str) -> socket.socket:
    """A listening socket: it listens at once, so that a second controller on the same port is told."""
    found = _ADDRESS.match(listen)
    if found is None or int(found[3]) > 65535:
        raise Terminal(
            Reason.INVALID_SPEC, f"--listen {listen} is no address: write HOST:PORT, such as 127.0.0.1:8080, or ''"
        )
    try:
        return _listening(found[1] or found[2], int(found[3]))
    except OSError as error:
        why = error.strerror or str(error)
        raise Terminal(
            Reason.INVALID_SPEC,
            f"cannot listen on {listen} for the gates of Argo Rollouts: {why}. Choose another address with "
            "--listen HOST:PORT (port 0 takes a free one), or answer no gates with --listen ''",
        ) from None


def _listening(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, place = found[0]
    # With the protocol named: asyncio sets TCP_NODELAY only then, without which each answer takes 40 ms.
    opened = socket.socket(family, kind, protocol)
    try:
        # A controller that is started again must not wait for the last one's connections to be forgotten.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(place)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened
