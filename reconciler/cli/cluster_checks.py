"""What `dispatch doctor` asks of the cluster. Nothing is written there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.cli.age import moment
from reconciler.cli.diagnosis import Check, Mark
from reconciler.model.outcome import StageError

if TYPE_CHECKING:
    from reconciler.adapters.kube.cluster import KubeCluster

_OLDEST = (1, 22)
"""Server-side apply is stable since Kubernetes 1.22 (KEP-555)."""
_TESTED = (1, 35)
_SKEW = 5.0
"""Seconds. Lease times and ages are compared with our clock; certificates allow no clock that is behind."""
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)")
_SHOWN = 3


class Right(NamedTuple):
    """One verb on one resource. `resource` has its subresource: `applications/status`."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


def cluster(kubeconfig: Path | None, context: str | None, namespace: str) -> Iterator[Check]:
    """The checks, in the order in which they are shown; none after the first that makes the others senseless."""
    from reconciler import app

    try:
        connection = app.connect(app.Settings(kubeconfig, context))
    except StageError as error:
        yield Check(
            "kubeconfig", Mark.FAILED, error.message, "name one with --kubeconfig, or run `dispatch sandbox up`"
        )
        return
    try:
        yield from _connected(connection, namespace)
    finally:
        connection.close()


def _connected(connection: KubeCluster, namespace: str) -> Iterator[Check]:
    try:
        server = connection.version()
    except StageError as error:
        yield Check("server", Mark.FAILED, error.message, "check that it runs, and that this machine may reach it")
        return
    yield version(server)
    asks: dict[str, Callable[[], Iterator[Check]]] = {
        "user": lambda: _who(connection),
        "kinds": lambda: _kinds(connection),
        "rights": lambda: _rights(connection, namespace),
    }
    for name, ask in asks.items():
        try:
            yield from ask()
        except StageError as error:
            yield Check(name, Mark.WARNING, f"cannot be checked: {error.message}")


def version(server: str) -> Check:
    """`server` is its gitVersion, such as v1.35.4."""
    found = _NUMBERS.match(server)
    if found is None:
        return Check("server", Mark.WARNING, f"tells no version ({server or 'nothing'})")
    number = int(found[1]), int(found[2])
    if number < _OLDEST:
        advice = f"Dispatch needs Kubernetes {_OLDEST[0]}.{_OLDEST[1]} or later, for server-side apply"
        return Check("server", Mark.FAILED, f"Kubernetes {server}", advice)
    note = "" if number <= _TESTED else f"; Dispatch was tested up to {_TESTED[0]}.{_TESTED[1]}"
    return Check("server", Mark.GOOD, f"Kubernetes {server}{note}")


def _who(connection: KubeCluster) -> Iterator[Check]:
    """A SelfSubjectReview (stable since 1.28) tells who we are, and the server's time by its creationTimestamp."""
    from reconciler.model.change import Refusal

    resource = connection.resource("authentication.k8s.io/v1", "SelfSubjectReview")
    if resource is None:
        return
    document = {"apiVersion": resource.api_version, "kind": resource.kind}
    before = datetime.now(UTC)
    answer = connection.create(resource, "", document)
    after = datetime.now(UTC)
    if isinstance(answer, Refusal):
        yield Check("user", Mark.WARNING, f"unknown: {answer.message}")
        return
    user = ((answer.get("status") or {}).get("userInfo") or {}).get("username", "")
    yield Check("user", Mark.INFO, user or "anonymous")
    at = moment((answer.get("metadata") or {}).get("creationTimestamp"))
    if at is not None:
        yield clock(at, before, after)


def clock(server: datetime, before: datetime, after: datetime) -> Check:
    """The server's time, in whole seconds, was read between `before` and `after` of our own clock."""
    ahead = max((before - server).total_seconds() - 1.0, 0.0) or min((after - server).total_seconds(), 0.0)
    if abs(ahead) > _SKEW:
        way = "ahead of" if ahead > 0 else "behind"
        found = f"this machine's clock is {abs(ahead):.0f} s {way} the server's"
        return Check("clock", Mark.WARNING, found, "set both by NTP: ages and times in the status are wrong otherwise")
    return Check("clock", Mark.GOOD, "agrees with the server's")


def _kinds(connection: KubeCluster) -> Iterator[Check]:
    from reconciler.model.crd import definitions

    resource = connection.resource("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    if resource is None:
        return
    wanted = definitions()
    live = [connection.read(resource, "", each["metadata"]["name"]) for each in wanted]
    yield kinds(list(zip(wanted, live, strict=True)))


def kinds(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]]) -> Check:
    """(definition of this Dispatch, definition in the cluster) of each kind."""
    missing = [wanted["spec"]["names"]["kind"] for wanted, live in pairs if live is None]
    if missing:
        return Check("kinds", Mark.FAILED, f"not installed: {', '.join(missing)}", "run `dispatch install`")
    other = [
        wanted["spec"]["names"]["kind"] for wanted, live in pairs if not covers(wanted["spec"], (live or {})["spec"])
    ]
    if other:
        found = f"installed by another version of Dispatch: {', '.join(other)}"
        return Check("kinds", Mark.WARNING, found, "run `dispatch install` of the newer one of the two")
    names = ", ".join(wanted["spec"]["names"]["kind"] for wanted, _ in pairs)
    return Check("kinds", Mark.GOOD, f"installed and current: {names}")


def covers(wanted: Any, live: Any) -> bool:
    """True when `live` has all that `wanted` says; what the server adds does not count, nor what it drops as empty."""
    if isinstance(wanted, Mapping):
        there = live if isinstance(live, Mapping) else {}
        return all(covers(value, there.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list):
        return len(wanted) == len(live) and all(map(covers, wanted, live))
    return bool(wanted == live) or (live is None and wanted in ([], "", False))


def _rights(connection: KubeCluster, namespace: str) -> Iterator[Check]:
    """What the roles that `dispatch install` makes for the controller would give."""
    from reconciler.core.installation import APPLIER, CONTROLLER, Installation, objects

    roles = {each["metadata"]["name"]: each for each in objects(Installation()) if each["kind"] == "ClusterRole"}
    own, workloads = needed(roles[CONTROLLER]["rules"]), needed(roles[f"{APPLIER}-workloads"]["rules"])
    lacking = _lacking(connection, own, namespace)
    if lacking:
        advice = "run the controller as the account that `dispatch install` makes, or bind its role dispatch-controller"
        yield Check("rights", Mark.FAILED, f"`dispatch run` would lack: {_listed(lacking)}", advice)
    else:
        yield Check("rights", Mark.GOOD, "all that `dispatch run` needs for its own kinds")
    applying = [right for right in workloads if right.verb in ("list", "patch")]
    lacking = _lacking(connection, applying, namespace)
    if lacking:
        advice = "bind the role dispatch-applier, or leave such objects out of Applications"
        yield Check("applying", Mark.WARNING, f"not allowed: {_listed(lacking)}", advice)
    else:
        yield Check("applying", Mark.GOOD, "the common kinds of workloads may be applied")


def needed(rules: Sequence[Mapping[str, Any]]) -> list[Right]:
    """Each verb on each resource of RBAC rules."""
    return [
        Right(verb, group, resource)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def _lacking(connection: KubeCluster, rights: Sequence[Right], namespace: str) -> list[Right]:
    from reconciler.model.change import Resource

    def allowed(right: Right) -> bool:
        version = f"{right.group}/v1" if right.group else "v1"
        resource = Resource(version, "", right.resource, True)
        return connection.allowed(right.verb, resource, "" if right.resource == "namespaces" else namespace)

    with ThreadPoolExecutor(max_workers=8) as threads:
        answers = list(threads.map(allowed, rights))
    return [right for right, answer in zip(rights, answers, strict=True) if not answer]


def _listed(rights: Sequence[Right]) -> str:
    shown = ", ".join(map(str, rights[:_SHOWN]))
    return shown if len(rights) <= _SHOWN else f"{shown} and {len(rights) - _SHOWN} more"
