"""The API server as the benchmark sees it: plain requests and watches by urllib3, none of Dispatch's own code."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3

from reconciler.sandbox import credentials
from reconciler.sandbox.platform import Sandbox

THREADS = 8
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_COUNTED = re.compile(r"^apiserver_request_total\{(?P<labels>[^}]*)\} (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_OURS = frozenset({"configmaps", "events"})


class Unanswered(Exception):
    """The server refused what the benchmark needs."""


class Server:
    """Administrator's access. Safe for many threads. `pids` are the API server and etcd."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = sandbox.home.api_url
        self.authority = sandbox.home.authority
        self.token = credentials.token(sandbox.home, credentials.ADMINISTRATOR.name)
        self.pids = [part.pid for part in sandbox.status()]
        self._headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        self._pool = urllib3.PoolManager(ca_certs=str(self.authority), retries=False, timeout=60, maxsize=THREADS)

    def request(self, method: str, path: str, body: Any = None, media: str = "application/json") -> bytes:
        """The body of the answer. Raises Unanswered for a status of 400 and more; 404 to a GET gives b""."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = self._headers | {"Content-Type": media}
        answer = self._pool.request(method, self.url + path, body=content, headers=headers)
        if answer.status == 404 and method == "GET":
            return b""
        if answer.status >= 400:
            raise Unanswered(f"{method} {path}: {answer.status} {answer.data[:300]!r}")
        return answer.data

    def get(self, path: str) -> dict[str, Any]:
        """The object, `{}` where there is none."""
        found: dict[str, Any] = json.loads(self.request("GET", path) or b"{}")
        return found

    def apply(self, path: str, document: Any) -> None:
        self.request("PATCH", f"{path}?fieldManager=benchmark&force=true", document, APPLY)

    def each(self, calls: Iterable[tuple[str, str, Any, str]]) -> None:
        """Many requests over the connections at once; the first refusal is raised."""
        with ThreadPoolExecutor(THREADS) as threads:
            for _ in threads.map(lambda call: self.request(*call), calls):
                pass

    def namespace(self, name: str) -> None:
        self.apply(f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def version(self) -> str:
        return str(self.get("/version").get("gitVersion", ""))

    def counts(self, group: str) -> Counter[str]:
        """Requests answered so far as reads, dry-runs and writes: for ConfigMaps, Events, and the kinds of `group`."""
        found: Counter[str] = Counter()
        for match in _COUNTED.finditer(self.request("GET", "/metrics").decode()):
            labels = dict(_LABEL.findall(match["labels"]))
            if labels.get("resource") not in _OURS and not (group and labels.get("group", "").endswith(group)):
                continue
            verb = labels.get("verb", "")
            if verb != "WATCH":
                dry = "dry-runs" if labels.get("dry_run") else "writes"
                found["reads" if verb in ("GET", "LIST") else dry] += int(float(match["value"]))
        return found

    def watch(self, path: str) -> urllib3.BaseHTTPResponse:
        """The answer to a watch from now on, whose lines come as things happen; `shutdown()` ends it from outside.

        A kind that has just been defined is not served at once: it is waited for. Raises TimeoutError.
        """
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            version = self.get(f"{path}?limit=1").get("metadata", {}).get("resourceVersion", "")
            answer = self._pool.request(
                "GET",
                f"{self.url}{path}?watch=1&resourceVersion={version}&timeoutSeconds=3600",
                headers=self._headers,
                preload_content=False,
                timeout=urllib3.Timeout(connect=5, read=None),
            )
            if version and answer.status == 200:
                return answer
            answer.drain_conn()
            time.sleep(0.05)
        raise TimeoutError(f"{path} is not served")
