"""A Git host over HTTP on loopback: git's own http-backend as CGI, with Basic authentication and TLS."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from adapters.git.upstream import ENVIRONMENT


class HttpHost:
    """Serves every repository below `root`. `requests` are the paths that were asked for, `fetches` counts the packs.

    `login` is (user, password); `answer` may give another status for a path, with headers; `watch` is called while an
    authenticated request is being served, when the client's processes are alive. Without `protocol_2` it answers as git
    before 2.18. Who has logged in may push.
    """

    def __init__(self, root: Path, login: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.root, self.login = root, login
        self.requests: list[str] = []
        self.authorizations: list[str] = []
        self.fetches = 0
        self.answer: Callable[[str], tuple[int, dict[str, str]] | None] = lambda path: None
        self.watch: Callable[[str], None] = lambda path: None
        self.protocol_2 = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"host": self}))
        self._server.daemon_threads = True
        if tls is not None:
            # The handshake is made in the thread of the connection, where a refused certificate ends that one alone.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.origin = f"{'https' if tls else 'http'}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    host: HttpHost

    def log_message(self, *_: object) -> None:
        """Nothing: the test reads `requests`."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = bytearray()
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            self._serve(bytes(body))
        else:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _serve(self, body: bytes) -> None:
        self.host.requests.append(self.path)
        self.host.fetches += b"command=fetch" in body
        given = self.headers.get("Authorization")
        if given:
            self.host.authorizations.append(given)
        if other := self.host.answer(self.path):
            self._reply(other[0], other[1], b"")
        elif self.host.login is not None and given != _basic(*self.host.login):
            self._reply(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
        else:
            self.host.watch(self.path)
            self._backend(body)

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            env={
                **ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(self.host.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if self.host.protocol_2 else "",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": unquote(path),
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                # Who has no name may not push (git-http-backend(1)).
                **({"REMOTE_USER": self.host.login[0]} if self.host.login else {}),
            },
            input=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._reply(int(headers.pop("Status", "200").split()[0]), headers, content)

    def _reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            # The client was killed, which is what some tests are about.
            self.close_connection = True


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def processes_with(*needles: str) -> dict[str, list[str]]:
    """For each text, the processes of this machine that have it in their arguments or environment."""
    found: dict[str, list[str]] = {needle: [] for needle in needles}
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        for file in ("cmdline", "environ"):
            try:
                text = (process / file).read_bytes()
            except OSError:
                continue
            for needle in needles:
                if needle.encode() in text:
                    found[needle].append(f"{process}/{file}: {text.split(bytes(1))[0]!r}")
    return found


def children_of_this_process() -> set[int]:
    """The ids of our living children; a child that ended but was not waited for counts too."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}
