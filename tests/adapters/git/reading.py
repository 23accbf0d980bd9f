"""What tests do with a source again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Transient
from reconciler.ports import Remote


def until(what: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def get(source: GitSource, remote: Remote, commit: str, path: str = "a") -> bytes:
    source.fetch(remote, commit, {})
    return source.tree(remote, commit).read(path, 1000)


def eventually(source: GitSource, remote: Remote, commit: str) -> bytes:
    """What two attempts give: the second is the retry that a Transient asks for."""
    try:
        return get(source, remote, commit)
    except Transient:
        return get(source, remote, commit)


def mirror_of(cache: Path) -> Path:
    (found,) = cache.glob("*.git")
    return found
