"""Objects as a real API server (Kubernetes 1.35.4) answered: what was wanted, what was live, what a dry-run foresaw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler.core.content import digest
from reconciler.core.desired import Wanted
from reconciler.model.change import Resource
from reconciler.model.identity import identify
from reconciler.model.manifest import Manifest, Origin


class Recorded(NamedTuple):
    wanted: Wanted
    live: dict[str, Any]
    predicted: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        return self.wanted.manifest.document


Record = Callable[[str], Recorded]


def as_wanted(document: dict[str, Any]) -> Wanted:
    resource = Resource(document["apiVersion"], document["kind"], f"{document['kind'].lower()}s", True)
    return Wanted(identify(document), resource, Manifest(document, Origin("web.yaml", 1)), digest(document))


@pytest.fixture
def recorded() -> Record:
    """Loads one recording by its name: an object that Dispatch applied and what its name says was done to it."""

    def load(name: str) -> Recorded:
        found = json.loads(Path(__file__).with_name("recorded").joinpath(f"{name}.json").read_text())
        return Recorded(as_wanted(found["wanted"]), found["live"], found["predicted"])

    return load
