"""The sandbox's Prometheus takes up targets while it runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import urllib3
from sandbox.watching import eventually

from reconciler.sandbox.platform import Part, Sandbox


class Counting(BaseHTTPRequestHandler):
    """A target with one counter, which grows by one with each scrape."""

    asked = 0

    def do_GET(self) -> None:
        Counting.asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(f"# TYPE asked_total counter\nasked_total {Counting.asked}\n".encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing to tell."""


@pytest.fixture
def target() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def result(sandbox: Sandbox, query: str) -> list[dict[str, Any]]:
    answer = urllib3.request("GET", f"{sandbox.urls['prometheus']}/api/v1/query", fields={"query": query})
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def test_a_target_is_asked_once_its_file_is_there_and_no_more_when_it_is_gone(metrics: Sandbox, target: str) -> None:
    file = metrics.home.prometheus_targets / "counting.json"
    file.write_text(json.dumps([{"targets": [target], "labels": {"team": "a"}}]))
    eventually("it is asked every second", lambda: result(metrics, 'rate(asked_total{team="a"}[5s]) > 0.9'))
    file.unlink()
    eventually("the series has ended", lambda: not result(metrics, f'up{{instance="{target}"}}'))


def test_it_keeps_what_it_knows_over_a_restart(metrics: Sandbox, target: str) -> None:
    file = metrics.home.prometheus_targets / "restarted.json"
    file.write_text(json.dumps([{"targets": [target]}]))
    eventually("it is up", lambda: result(metrics, f'up{{instance="{target}"}} == 1'))
    before = metrics.urls["prometheus"]
    metrics.restart(Part.PROMETHEUS)
    assert metrics.urls["prometheus"] == before
    assert result(metrics, f'last_over_time(up{{instance="{target}"}}[1m])')
    file.unlink()
