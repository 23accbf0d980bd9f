"""What a part is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reconciler.sandbox.home import Home


class Part(StrEnum):
    """The parts, in the order of starting."""

    ETCD = "etcd"
    APISERVER = "apiserver"
    GITEA = "gitea"
    CONTROLLERS = "controllers"
    SCHEDULER = "scheduler"
    KWOK = "kwok"
    ROLLOUTS = "rollouts"
    PROMETHEUS = "prometheus"
    REGISTRY = "registry"


# The defaults (20 to 50 requests a second) would make the sandbox itself the slow part of what is tried on it.
API_CLIENT_LIMITS = ("--kube-api-qps=500", "--kube-api-burst=1000")


def nothing(home: Home) -> None:
    """For a part with nothing to prepare or to finish."""


def no_more(home: Home) -> Mapping[str, str]:
    """For a part that needs nothing in its environment but what every part gets."""
    return {}


@dataclass(frozen=True)
class Spec:
    """One part: `command(home, binary, port)` gives its argument list, run in `home.data(part)`.

    `prepare` runs before each start and must bear being run again; `ready` is polled and never raises for "not yet";
    `finish` runs once the part is ready. It starts when its `needs` are ready; its `wants` are started too, but not
    waited for. `port` is True where the part listens on a TCP port of 127.0.0.1.
    """

    part: Part
    tool: str
    title: str
    command: Callable[[Home, Path, int], Sequence[str]]
    ready: Callable[[Home], bool]
    needs: tuple[Part, ...] = ()
    wants: tuple[Part, ...] = ()
    port: bool = False
    prepare: Callable[[Home], None] = nothing
    finish: Callable[[Home], None] = nothing
    environment: Callable[[Home], Mapping[str, str]] = no_more
    directory: Part | None = None

    def working_directory(self, home: Home) -> Path:
        return home.data(self.directory or self.part)
