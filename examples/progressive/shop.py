"""Plays the pods of a sandbox, which run nothing: answers HTTP in their place, sends itself customers, and counts.

Requests to a Service are shared among the ready pods behind it, as kube-proxy would (EndpointSlices). How a pod answers
is decided by the tag of its image: with `bad` in it every fifth answer is a 500, with `slow` each takes 400 ms longer.
`/metrics` has, by Service and by the hash of the pods, what Prometheus needs to judge one version against another.

    python shop.py --namespace staging shop checkout checkout-preview
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import urllib3

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.model.outcome import StageError

LOOK_SECONDS = 0.5
CUSTOMERS = 5
"""Threads that send requests to one Service, one request after the other."""
FAULTY_EVERY = 5
SLOWER_SECONDS = 0.4
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0)
HASHES = ("rollouts-pod-template-hash", "pod-template-hash")


class Pod(NamedTuple):
    """A ready pod behind a Service. `version` is the tag of its image."""

    name: str
    pod_hash: str
    version: str


class Answer(NamedTuple):
    """How a request was answered; `pod` is None when none was ready."""

    pod: Pod | None
    code: int


Series = tuple[str, str, str]
"""Service, hash of the pods, version."""


class Shop:
    """Which pods stand behind which Service, and what they have answered. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pods: dict[str, list[Pod]] = {}
        self._turns: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._codes: dict[Series, Counter[int]] = defaultdict(Counter)
        self._seconds: dict[Series, list[float]] = defaultdict(lambda: [0.0] * (len(BUCKETS) + 2))

    def take_up(self, service: str, pods: list[Pod]) -> bool:
        """These are ready now; whether the versions behind the Service are others than before."""
        with self._lock:
            before = Counter(pod.version for pod in self._pods.get(service, []))
            self._pods[service] = pods
            for pod in pods:
                # A counter that begins at zero is one whose first fault is seen by rate().
                for code in (200, 500):
                    self._codes[service, pod.pod_hash, pod.version][code] += 0
        return before != Counter(pod.version for pod in pods)

    def answer(self, service: str) -> Answer:
        began = time.monotonic()
        with self._lock:
            pods = self._pods.get(service)
            if not pods:
                return Answer(None, 503)
            pod = pods[self._turns[service] % len(pods)]
            self._turns[service] += 1
            self._asked[pod.pod_hash] += 1
            faulty = "bad" in pod.version and self._asked[pod.pod_hash] % FAULTY_EVERY == 0
        time.sleep(random.uniform(0.002, 0.01) + (SLOWER_SECONDS if "slow" in pod.version else 0.0))  # noqa: S311
        code = 500 if faulty else 200
        self._count((service, pod.pod_hash, pod.version), code, time.monotonic() - began)
        return Answer(pod, code)

    def _count(self, series: Series, code: int, took: float) -> None:
        with self._lock:
            self._codes[series][code] += 1
            seconds = self._seconds[series]
            for place, bound in enumerate((*BUCKETS, float("inf"))):
                seconds[place] += took <= bound
            seconds[-1] += took

    def metrics(self) -> str:
        """Prometheus' text format."""
        with self._lock:
            return "\n".join([*self._requests(), *self._durations(), ""])

    def _requests(self) -> Iterator[str]:
        yield "# TYPE http_requests_total counter"
        for series, codes in self._codes.items():
            for code, count in codes.items():
                yield f'http_requests_total{{{_labels(series)},code="{code}"}} {count}'

    def _durations(self) -> Iterator[str]:
        name = "http_request_duration_seconds"
        yield f"# TYPE {name} histogram"
        for series, (*counts, total) in self._seconds.items():
            for bound, count in zip((*BUCKETS, "+Inf"), counts, strict=True):
                yield f'{name}_bucket{{{_labels(series)},le="{bound}"}} {count:.0f}'
            yield f"{name}_count{{{_labels(series)}}} {counts[-1]:.0f}"
            yield f"{name}_sum{{{_labels(series)}}} {total:.6f}"

    def told(self, service: str) -> str:
        """Which versions are behind a Service, for people: `4 x 1.0.0, 1 x 2.0.0`."""
        with self._lock:
            versions = Counter(pod.version for pod in self._pods[service])
        return ", ".join(f"{count} x {version}" for version, count in sorted(versions.items())) or "no ready pod"


def _labels(series: Series) -> str:
    service, pod_hash, version = series
    return f'service="{service}",pod_hash="{pod_hash}",version="{version}"'


class Door(BaseHTTPRequestHandler):
    """`/metrics`, and `/SERVICE` for each Service."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # One packet an answer: with two, TCP waits 40 ms before the second (RFC 896 against RFC 1122).
    shop: Shop

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._send(200, "text/plain; version=0.0.4", self.shop.metrics())
            return
        pod, code = self.shop.answer(self.path.strip("/"))
        told = {"pod": pod.name, "version": pod.version} if pod else {}
        self._send(code, "application/json", json.dumps(told) + "\n")

    def _send(self, code: int, media_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Forty lines a second would tell nothing."""


def ready_pods(cluster: KubeCluster, namespace: str, service: str) -> list[Pod]:
    """The pods that a request to the Service can reach. Raises StageError."""
    slices, pods = cluster.resource("discovery.k8s.io/v1", "EndpointSlice"), cluster.resource("v1", "Pod")
    assert slices is not None
    assert pods is not None
    reachable = {
        endpoint["targetRef"]["name"]
        for each in cluster.listing(slices, namespace, f"kubernetes.io/service-name={service}")
        for endpoint in each.get("endpoints") or ()
        if endpoint["conditions"].get("ready") and "targetRef" in endpoint
    }
    return [_pod(each) for each in cluster.listing(pods, namespace) if each["metadata"]["name"] in reachable]


def _pod(document: dict[str, Any]) -> Pod:
    labels, image = document["metadata"]["labels"], document["spec"]["containers"][0]["image"]
    pod_hash = next((labels[name] for name in HASHES if name in labels), "")
    # What a feed has written is pinned, and a digest may spell "bad".
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    return Pod(document["metadata"]["name"], pod_hash, tag)


def visit(url: str, rate: float, stop: threading.Event) -> None:
    """One customer: `rate` requests a second, or as many as are answered."""
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        while not stop.wait(random.uniform(0.5, 1.5) / rate):  # noqa: S311
            # A customer whose request fails comes again.
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                pool.request("GET", url)


def watch(cluster: KubeCluster, namespace: str, services: list[str], shop: Shop, stop: threading.Event) -> None:
    """Follow which pods are ready, and say when other versions are. While the API is away, the last ones stay."""
    while not stop.wait(LOOK_SECONDS):
        for service in services:
            try:
                changed = shop.take_up(service, ready_pods(cluster, namespace, service))
            except StageError as error:
                print(f"{service}: {error.message}", flush=True)
                continue
            if changed:
                print(f"{service}: {shop.told(service)}", flush=True)


def opened(shop: Shop, port: int) -> ThreadingHTTPServer:
    """The shop, answering on 127.0.0.1."""
    Door.shop = shop
    server = ThreadingHTTPServer(("127.0.0.1", port), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def invite(address: str, services: list[str], rate: float, stop: threading.Event) -> None:
    """Customers for each Service, `rate` requests a second together."""
    for service in services:
        arguments = (f"http://{address}/{service}", rate / CUSTOMERS, stop)
        for _ in range(CUSTOMERS):
            threading.Thread(target=visit, args=arguments, daemon=True).start()


def main() -> None:
    options = parsed()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    shop = Shop()
    server = opened(shop, options.port)
    address = f"127.0.0.1:{server.server_port}"
    invite(address, options.services, options.rate, stop)
    target = Path(options.targets) / f"shop-{server.server_port}.json" if options.targets else None
    if target:
        target.write_text(json.dumps([{"targets": [address], "labels": {"namespace": options.namespace}}]))
    print(f"open at http://{address}", flush=True)
    try:
        cluster = connect()
        watch(cluster, options.namespace, options.services, shop, stop)
        cluster.close()
    finally:
        if target:
            target.unlink(missing_ok=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="+", metavar="SERVICE")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second to each Service")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; a free one when not given")
    parser.add_argument(
        "--targets",
        default=os.environ.get("PROMETHEUS_TARGETS"),
        help="the folder where Prometheus looks whom to ask ($PROMETHEUS_TARGETS)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
