"""Small objects, and folders that hold them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml


def config_map(name: str, *, labels: dict[str, str] | None = None, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        "data": data,
    }


def secret(name: str, **data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded}


def write(folder: Path, *documents: dict[str, Any], file: str = "all.yaml") -> Path:
    (folder / file).write_text("".join(f"---\n{yaml.safe_dump(document)}" for document in documents))
    return folder


def inside(namespace: str, *documents: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**each, "metadata": {**each["metadata"], "namespace": namespace}} for each in documents]
