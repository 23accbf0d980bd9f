"""The shop of examples/progressive, playing the pods of a namespace of the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from reconciler.sandbox.platform import Sandbox

EXAMPLE = Path(__file__).parents[2] / "examples" / "progressive"
STOP_SECONDS = 10


@contextmanager
def playing(sandbox: Sandbox, namespace: str, *services: str) -> Iterator[None]:
    """While it lasts, customers visit the Services, and Prometheus asks how they were served."""
    environment = {
        **os.environ,
        "KUBECONFIG": str(sandbox.kubeconfig),
        "PROMETHEUS_TARGETS": str(sandbox.home.prometheus_targets),
    }
    program = subprocess.Popen(
        [sys.executable, str(EXAMPLE / "shop.py"), "--namespace", namespace, *services], env=environment
    )
    try:
        yield
    finally:
        program.terminate()
        code = program.wait(STOP_SECONDS)
    assert code == 0
    assert not list(sandbox.home.prometheus_targets.glob("shop-*.json"))


def rate(sandbox: Sandbox, series: str) -> float:
    """How many a second, over the last few; 0 where nothing was counted."""
    query = f"sum(rate({series}[5s]))"
    answer = urllib3.request("GET", f"{sandbox.urls['prometheus']}/api/v1/query", fields={"query": query}).json()
    return sum(float(each["value"][1]) for each in answer["data"]["result"])
