"""A Go module proxy of the tests: tiny modules, from files or over HTTP with a gate that can hold every answer."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from reconciler.sandbox.tools.recipes import Recipe

GOOD = 'package main\n\nvar said = "nothing"\n\nfunc main() { println(said) }\n'
BROKEN = "package main\n\nfunc main() { thisIsNotThere() }\n"


def publish(proxy: Path, name: str, source: str) -> Recipe:
    """Put a module of one program into the proxy's folder, in the form of https://go.dev/ref/mod#goproxy-protocol."""
    module, version = f"example.invalid/{name}", "v1.0.0"
    folder = proxy / module / "@v"
    folder.mkdir(parents=True)
    go_mod = f"module {module}\n\ngo 1.21\n"
    (folder / f"{version}.info").write_text(f'{{"Version": "{version}", "Time": "2024-01-01T00:00:00Z"}}')
    (folder / f"{version}.mod").write_text(go_mod)
    (folder / "list").write_text(f"{version}\n")
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
        for path, text in (("go.mod", go_mod), ("main.go", source), ("assets/one.txt", "one")):
            archive.writestr(f"{module}@{version}/{path}", text)
    return Recipe(name, module, version, variables={"main.said": "hello"}, data=("assets",), disk_mib=1)


class Gate:
    """`asked` is set when somebody asks; nobody is answered before `opened` is set."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.opened = threading.Event()
        self.url = ""


@contextmanager
def gated(folder: Path) -> Iterator[Gate]:
    """Serve `folder` on a free port of the loopback address."""
    gate = Gate()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            gate.asked.set()
            gate.opened.wait()
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        server.daemon_threads = True
        gate.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield gate
        gate.opened.set()
        server.shutdown()
