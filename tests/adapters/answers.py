"""A real HTTP server on loopback that gives the answers that a test wants, good and bad."""

from __future__ import annotations

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Reply(NamedTuple):
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}
    drip: float = 0.0
    cut: bool = False


class Server:
    """Gives the replies in their order, the last one again and again. `seen` are the requests."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.replies = [Reply()]
        self.seen: list[tuple[str, str, bytes]] = []
        self.connections: set[tuple[str, int]] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_": self}))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes: the second would wait 40 ms for the client

    def log_message(self, *_: object) -> None:
        """Nothing: the test reads `seen`."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server_.seen.append((self.command, self.path, body))
        self.server_.connections.add(self.client_address)
        reply = self.server_.next()
        if reply.cut:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for place in range(0, len(reply.body), 1 if reply.drip else len(reply.body)):
                time.sleep(reply.drip)
                self.wfile.write(reply.body[place : place + 1] if reply.drip else reply.body)
        except OSError:
            self.close_connection = True

    do_POST = do_PATCH = do_GET
