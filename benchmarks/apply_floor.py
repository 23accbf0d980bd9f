"""What the cluster adapter adds to a server-side apply: `python -m benchmarks.apply_floor [objects] [rounds]`.

The floor is the tightest loop that plain urllib3 allows: 8 threads, each drawing its next object from one queue, one
pool, prepared headers. Floor and adapter take turns in one run, on new namespaces of one API server, and which is
first changes with each round, because a server that warms up would favour the second. Medians are of wall time; CPU is
of this process. What the two ask of the server is the same to the byte but for the name of the field manager.
"""

from __future__ import annotations

import argparse
import base64
import json
import resource
import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3
from urllib3.util import parse_url

from reconciler.adapters.kube import KubeCluster, connect
from reconciler.model.change import Resource
from reconciler.sandbox.platform import Sandbox

CONNECTIONS = 8
STEPS = ("dry-run", "apply", "unchanged")
Documents = list[dict[str, Any]]
Send = Callable[[Documents, bool], None]


def documents(namespace: str, count: int) -> Documents:
    text = "The quick brown fox jumps over the lazy dog. " * 2
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"web-{number}", "namespace": namespace, "labels": {"app": f"web-{number}"}},
            "data": {"version": "1", "log.level": "info", "motd": text},
        }
        for number in range(count)
    ]


class Floor:
    """Plain urllib3."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = folder / "authority.pem"
        authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        url = parse_url(cluster["server"])
        assert url.host is not None
        self._pool = urllib3.HTTPSConnectionPool(
            url.host, url.port, maxsize=CONNECTIONS, block=True, retries=False, timeout=30, ca_certs=str(authority)
        )
        self._headers = {
            "Authorization": f"Bearer {user['token']}",
            "Accept": "application/json",
            "Content-Type": "application/apply-patch+yaml",
        }

    def send(self, wanted: Documents, dry_run: bool) -> None:
        left = deque(wanted)
        query = "?fieldManager=floor&force=true&fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")

        def draw() -> None:
            while True:
                try:
                    document = left.popleft()
                except IndexError:
                    return
                metadata = document["metadata"]
                path = f"/api/v1/namespaces/{metadata['namespace']}/configmaps/{metadata['name']}{query}"
                answer = self._pool.request("PATCH", path, body=json.dumps(document), headers=self._headers)
                assert answer.status < 300, answer.data
                json.loads(answer.data)

        threads = [threading.Thread(target=draw) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class Adapter:
    """KubeCluster.apply."""

    def __init__(self, cluster: KubeCluster, configmaps: Resource) -> None:
        self._cluster = cluster
        self._configmaps = configmaps

    def send(self, wanted: Documents, dry_run: bool) -> None:
        answers = self._cluster.apply([(self._configmaps, document) for document in wanted], dry_run=dry_run)
        assert all(isinstance(answer, dict) for answer in answers)


def measure(send: Send, wanted: Documents) -> dict[str, tuple[float, float]]:
    """Wall time and CPU of each step, in seconds."""
    found = {}
    for step in STEPS:
        began, used = time.perf_counter(), time.process_time()
        send(wanted, step == "dry-run")
        found[step] = time.perf_counter() - began, time.process_time() - used
    return found


def run(sandbox: Sandbox, folder: Path, count: int, rounds: int) -> None:
    cluster = connect(sandbox.kubeconfig, connections=CONNECTIONS)
    configmaps, namespaces = cluster.resource("v1", "ConfigMap"), cluster.resource("v1", "Namespace")
    assert configmaps is not None
    assert namespaces is not None
    contenders: dict[str, Send] = {
        "floor": Floor(sandbox.kubeconfig, folder).send,
        "adapter": Adapter(cluster, configmaps).send,
    }
    times: dict[str, list[dict[str, tuple[float, float]]]] = {name: [] for name in contenders}
    # The round before the first warms the server up and is not counted.
    for number in range(rounds + 1):
        for name in sorted(contenders, reverse=bool(number % 2)):
            namespace = f"{name}-{number}"
            cluster.create(namespaces, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            found = measure(contenders[name], documents(namespace, count))
            if number:
                times[name].append(found)
    cluster.close()
    report(times, count, rounds)


def report(times: dict[str, list[dict[str, tuple[float, float]]]], count: int, rounds: int) -> None:
    print(f"\n{count:,} ConfigMaps over {CONNECTIONS} connections, median of {rounds} rounds (lowest to highest)")
    print(f"{'':12}{'floor s':>24}{'adapter s':>24}{'ratio':>8}{'CPU, floor':>12}{'CPU, adapter':>14}")
    for step in STEPS:
        wall = {name: [found[step][0] for found in rounds_of] for name, rounds_of in times.items()}
        used = {name: statistics.median(found[step][1] for found in rounds_of) for name, rounds_of in times.items()}
        ratio = statistics.median(a / f for a, f in zip(wall["adapter"], wall["floor"], strict=True))
        shown = "".join(f"{_spread(wall[name]):>24}" for name in ("floor", "adapter"))
        print(f"{step:12}{shown}{ratio:8.2f}{used['floor']:12.2f}{used['adapter']:14.2f}")
    print(f"peak resident: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="The cluster adapter's apply beside plain urllib3.")
    parser.add_argument("objects", nargs="?", type=int, default=1000)
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Sandbox.start(Path(folder) / "sandbox", (), print) as sandbox:
        run(sandbox, Path(folder), arguments.objects, arguments.rounds)


if __name__ == "__main__":
    main()
