"""Asking something of a rollout: find it, refuse what cannot be, write the RolloutAction, wait for the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import click

from reconciler.cli.actions import kind_of, who, write
from reconciler.cli.applications import Document, entries
from reconciler.cli.duration import Duration
from reconciler.cli.options import cluster_options, namespace_option
from reconciler.cli.rollout import found
from reconciler.cli.rollout.picture import Scene, given_steps, look
from reconciler.cli.rollout.wishes import action, refusal
from reconciler.core.approving import APPROVER
from reconciler.model.change import Resource
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.model.rollout import RolloutSeen, Wish
from reconciler.ports import Cluster

_LOOK = 0.3
"""Seconds between two looks at the answer."""


class Target(NamedTuple):
    """What is asked of: an Application, and one of its Rollouts as it is seen."""

    application: Document
    seen: RolloutSeen


def asking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """NAME and the options that all wishes share."""
    for option in (
        cluster_options,
        click.option("--timeout", type=Duration(), default="30s", show_default=True, help="How long to wait for it."),
        click.option("--reason", metavar="TEXT", help="Why, for the history; at most 1024 characters."),
        click.option("--rollout", "only", metavar="NAME", help="Which Rollout, where the Application has several."),
        namespace_option,
        click.argument("name"),
    ):
        command = option(command)
    return command


def ask(
    wish: Wish,
    name: str,
    namespace: str,
    only: str | None,
    reason: str | None,
    timeout: float,
    kubeconfig: Path | None,
    context: str | None,
    besides: Callable[[Cluster, Target], bool] = lambda cluster, target: False,
) -> None:
    """Ask, and end the command: exit code 0 when it was done or waits for its time, 1 when it was refused or nobody
    answered.

    `besides` is done after the wish was written, and says whether that was enough. Raises Terminal, Transient.
    """
    from reconciler import app

    if reason is not None and len(reason) > 1024:
        raise click.UsageError("--reason is at most 1024 characters")
    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        target = _target(found.scene(cluster, namespace, name), wish, only)
        written = _write(cluster, target, wish, reason)
        enough = besides(cluster, target)
        if written is None:
            raise SystemExit(0 if enough else 1)
        raise SystemExit(0 if _wait(cluster, written, timeout, enough) else 1)


def _target(scene: Scene, wish: Wish, only: str | None) -> Target:
    """The one Rollout of which this can be asked; ends with exit code 1 and why when there is none, or several."""
    metadata = scene.application["metadata"]
    place = f"{metadata.get('namespace', '')}/{metadata['name']}"
    candidates = [look(scene, each) for each in scene.rollouts]
    if not candidates:
        _refuse(f"Application {place} has no Rollout: its strategy is rolling, or it is not applied yet")
    if only is not None:
        candidates = [each for each in candidates if each.id.name == only]
    if not candidates:
        names = ", ".join(each["metadata"]["name"] for each in scene.rollouts)
        _refuse(f"Application {place} has no Rollout {only!r}: it has {names}")
    vetoed = bool(entries(scene.application, "vetoes"))
    judged = [(each, refusal(wish, each, _gate(scene, each), vetoed)) for each in candidates]
    willing = [each for each, why in judged if not why]
    if not willing:
        _refuse("\n".join(why for _, why in judged))
    if len(willing) > 1:
        names = ", ".join(each.id.name for each in willing)
        _refuse(f"Application {place} has several Rollouts of which this can be asked ({names}): choose with --rollout")
    return Target(scene.application, willing[0])


def _gate(scene: Scene, seen: RolloutSeen) -> Document | None:
    given = given_steps(scene.application, seen.steps)
    step = given[seen.step] if seen.step is not None and seen.step < len(given) else {}
    gate: Document | None = step.get("gate")
    return gate


def _refuse(why: str) -> NoReturn:
    click.echo(why, err=True)
    raise SystemExit(1)


def _write(cluster: Cluster, target: Target, wish: Wish, reason: str | None) -> Document | None:
    """The action as it is stored. None when Dispatch cannot be asked to abort, which may still be done without it."""
    try:
        resource = kind_of(cluster, "RolloutAction")
        document = action(target.application, wish, target.seen, who(cluster), reason)
        stored = write(cluster, resource, document, "To approve", APPROVER)
    except Terminal as error:
        if wish is not Wish.ABORT:
            raise
        click.echo(f"Dispatch could not be asked: {error.message}", err=True)
        return None
    seen = target.seen
    click.echo(
        f"asked as {document['spec']['by']}: {_WORDS[wish]} version {seen.pod_hash} of Rollout "
        f"{seen.id.namespace}/{seen.id.name}{_at(wish, seen)}"
    )
    return stored


_WORDS = {
    Wish.PROMOTE: "promote",
    Wish.PROMOTE_FULL: "skip all that is left of",
    Wish.ABORT: "abort",
    Wish.RETRY: "retry",
}


def _at(wish: Wish, seen: RolloutSeen) -> str:
    return f" at step {seen.step + 1} of {seen.steps}" if wish is Wish.PROMOTE and seen.step is not None else ""


def _wait(cluster: Cluster, written: Document, timeout: float, enough: bool) -> bool:
    """Until Dispatch has answered, which is printed. Without an answer it counts whether it was `enough` without."""
    resource, metadata = kind_of(cluster, "RolloutAction"), written["metadata"]
    deadline = time.monotonic() + (min(timeout, _RECORD) if enough else timeout)
    while True:
        status = _status(cluster, resource, metadata)
        state, message = status.get("state"), status.get("message", "")
        if state == "Done":
            click.echo(f"done: {message}" if message else "done")
            return True
        if state == "Refused":
            click.echo(f"refused: {message}", err=True)
            return enough
        if state == "Pending" and message:
            click.echo(f"waits: {message}. It is carried out then, if the rollout is still where it was")
            return True
        if time.monotonic() >= deadline:
            break
        time.sleep(_LOOK)
    place = f"RolloutAction {metadata['namespace']}/{metadata['name']}"
    if enough:
        click.echo(f"Dispatch has not recorded it yet: {place} stays until it does", err=True)
        return True
    click.echo(
        f"Dispatch has not answered within {timeout:g} s: is `dispatch run` running, and does it watch this namespace? "
        f"{place} stays: it is carried out when Dispatch runs, if the rollout is still where it was",
        err=True,
    )
    return False


_RECORD = 5.0
"""Seconds to wait for the record of what is done already."""


def _status(cluster: Cluster, resource: Resource, metadata: Document) -> Document:
    """Empty while there is no answer, or none can be read just now. One that is gone was answered and swept away."""
    try:
        document = cluster.read(resource, metadata["namespace"], metadata["name"])
    except Transient:
        return {}
    except Terminal as error:
        if error.reason is not Reason.FORBIDDEN:
            raise
        return {}
    if document is None:
        return {"state": "Done"}
    return document.get("status") or {}
