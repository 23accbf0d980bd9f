"""The containers of a Pod by what their statuses say: which are broken, which failed, which are still to come."""

from __future__ import annotations

from typing import Any, NamedTuple

from reconciler.core.health.fields import Malformed, flag, integer, items, mapping, text
from reconciler.core.health.verdict import because, quoted

# What the kubelet calls a fault without one of its usual endings (pkg/kubelet/images/types.go).
_FAULTS = frozenset({"InvalidImageName", "RegistryUnavailable", "SignatureValidationFailed"})


class Container(NamedTuple):
    """`word` is container, sidecar or init container; `waits` is why it is not running, in the kubelet's words."""

    word: str
    name: str
    waits: str
    waits_message: str
    ended: dict[str, Any]
    ended_before: dict[str, Any]
    ready: bool

    @property
    def label(self) -> str:
        return f"{self.word} {quoted(self.name)}"

    @property
    def broken(self) -> bool:
        """Waiting in a way that Argo CD calls an error: Err..., ...Error or ...BackOff."""
        reason = self.waits
        return reason.startswith("Err") or reason.endswith(("Error", "BackOff")) or reason in _FAULTS

    @property
    def trouble(self) -> str:
        """Why it is waiting. A crash is told by its exit: the kubelet's words change with each back-off."""
        if self.waits == "CrashLoopBackOff" and self.ended_before:
            return f"{self.label}: {self.waits}: {_exit(self.ended_before)}"
        return f"{self.label}: {because(self.waits, self.waits_message)}"

    @property
    def failed(self) -> bool:
        return bool(self.ended) and integer(self.ended, "exitCode") != 0

    @property
    def failure(self) -> str:
        return f"{self.label}: {_exit(self.ended)}"

    @property
    def past_failure(self) -> str:
        return f"{self.label} is not ready and has ended before: {_exit(self.ended_before)}"


def regular(document: dict[str, Any]) -> list[Container]:
    """The containers that live as long as the Pod: its own, and its sidecars (KEP-753) behind them."""
    sidecars = _sidecars(document)
    inits = items(document, "status", "initContainerStatuses")
    own = [_container(one, "container") for one in items(document, "status", "containerStatuses")]
    return own + [_container(one, "sidecar") for one in inits if one.get("name") in sidecars]


def initial(document: dict[str, Any]) -> list[Container]:
    """The init containers that have to end well, in order, before the others start."""
    sidecars = _sidecars(document)
    inits = items(document, "status", "initContainerStatuses")
    return [_container(one, "init container") for one in inits if one.get("name") not in sidecars]


def _sidecars(document: dict[str, Any]) -> list[Any]:
    inits = items(document, "spec", "initContainers")
    return [one.get("name") for one in inits if one.get("restartPolicy") == "Always"]


def _container(status: dict[str, Any], word: str) -> Container:
    try:
        waiting = mapping(status, "state", "waiting")
        return Container(
            word=word,
            name=text(status, "name"),
            waits=text(waiting, "reason"),
            waits_message=text(waiting, "message"),
            ended=mapping(status, "state", "terminated"),
            ended_before=mapping(status, "lastState", "terminated"),
            ready=flag(status, "ready"),
        )
    except Malformed as error:
        field = "containerStatuses" if word == "container" else "initContainerStatuses"
        raise error.within("status", field, "[]") from None


def _exit(ended: dict[str, Any]) -> str:
    """`exit code 137 (OOMKilled)`. The termination message is the program's own output, so it may hold a secret."""
    reason = quoted(text(ended, "reason"))
    return f"exit code {integer(ended, 'exitCode')}" + (f" ({reason})" if reason else "")
