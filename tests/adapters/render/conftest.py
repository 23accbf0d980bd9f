from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.render.rendering import Repository, real_tools

from reconciler.adapters.render.engine import RenderEngine


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[RenderEngine]:
    with contextlib.closing(RenderEngine(tmp_path / "cache", tools=real_tools)) as made:
        yield made
