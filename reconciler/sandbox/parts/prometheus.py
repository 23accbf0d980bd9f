"""Prometheus: asks each target once a second, and can be given targets while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import urllib3
import yaml

from reconciler.sandbox.home import Home
from reconciler.sandbox.parts.part import Part, Spec

# A rate over a few seconds needs a sample a second, and nothing in a sandbox is so big that this would cost much.
_INTERVAL = "1s"
_RETENTION = "6h"


def configuration_file(home: Home) -> Path:
    return home.data("prometheus") / "prometheus.yml"


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [
        str(binary),
        f"--config.file={configuration_file(home)}",
        f"--storage.tsdb.path={home.data('prometheus') / 'store'}",
        f"--web.listen-address=127.0.0.1:{port}",
        # The default of 5 s is for lists of targets that change all the time.
        f"--scrape.discovery-reload-interval={_INTERVAL}",
        "--log.level=warn",
    ]


def prepare(home: Home) -> None:
    home.prometheus_targets.mkdir(mode=0o700, exist_ok=True)
    configuration_file(home).write_text(yaml.safe_dump(_configuration(home)), encoding="utf-8")


def _configuration(home: Home) -> dict[str, Any]:
    files = [str(home.prometheus_targets / pattern) for pattern in ("*.json", "*.yml")]
    # inotify tells of a new file at once; the interval is for a file system without it.
    discovery = {"files": files, "refresh_interval": "5s"}
    return {
        "global": {"scrape_interval": _INTERVAL, "scrape_timeout": _INTERVAL},
        "storage": {"tsdb": {"retention": {"time": _RETENTION}}},
        "scrape_configs": [{"job_name": "sandbox", "file_sd_configs": [discovery]}],
    }


def ready(home: Home) -> bool:
    try:
        return urllib3.request("GET", f"{home.prometheus_url}/-/ready", retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False


SPEC = Spec(
    part=Part.PROMETHEUS,
    tool="prometheus",
    title="Prometheus",
    command=command,
    ready=ready,
    port=True,
    prepare=prepare,
)
