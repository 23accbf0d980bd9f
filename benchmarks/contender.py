"""What is measured: something that brings the folders of a Git repository into a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from benchmarks.workload import Load, Repository


class Failed(Exception):
    """The contender did not do what it was to do; the message says what it said."""


class Contender(Protocol):
    """Started once for a row; then `prepare`, some commits and `clean` for each run.

    `group` is the API group of its own kinds, "" when it has none; `flags` what it was started with beyond the needed.
    """

    name: str
    version: str
    group: str

    @property
    def flags(self) -> str: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    @property
    def pids(self) -> list[int]:
        """The processes that are the contender."""
        ...

    def prepare(self, load: Load, repository: Repository, namespace: str, commit: str) -> None:
        """An application for each folder, in a namespace that exists; returns when all are Ready at the commit."""
        ...

    def deliver(self, commit: str) -> float:
        """Tell it that the branch has moved, as a webhook would; the moment just before (monotonic seconds)."""
        ...

    def ready(self, commit: str, within: float) -> tuple[float, float]:
        """When it was seen that it knows the commit, and when all applications were Ready at it. Raises Failed."""
        ...

    def idle(self, commit: str, within: float) -> float:
        """When it had dealt with a commit that changes none of the applications. Raises Failed."""
        ...

    def clean(self) -> None:
        """Take out what `prepare` made, but for the namespace."""
        ...


def log_tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
