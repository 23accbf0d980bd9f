"""The registry of the distribution project: images over plain HTTP on the loopback address, no account needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import urllib3
import yaml

from reconciler.sandbox.home import Home
from reconciler.sandbox.parts.part import Part, Spec


def configuration_file(home: Home) -> Path:
    return home.data("registry") / "registry.yml"


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [str(binary), "serve", str(configuration_file(home))]


def prepare(home: Home) -> None:
    configuration_file(home).write_text(yaml.safe_dump(_configuration(home)), encoding="utf-8")


def _configuration(home: Home) -> dict[str, Any]:
    return {
        "version": "0.1",
        # Its traces would go to a collector on a fixed port that nobody listens on.
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(home.data("registry") / "store")},
            # So that a tag can be deleted, as a clean-up in a company's registry does it.
            "delete": {"enabled": True},
        },
        "http": {"addr": f"127.0.0.1:{home.port('registry')}"},
    }


def ready(home: Home) -> bool:
    try:
        return urllib3.request("GET", f"{home.registry_url}/v2/", retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False


SPEC = Spec(
    part=Part.REGISTRY,
    tool="registry",
    title="Registry",
    command=command,
    ready=ready,
    port=True,
    prepare=prepare,
    environment=lambda home: {"OTEL_TRACES_EXPORTER": "none"},
)
