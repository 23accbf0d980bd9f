"""`dispatch sync`: deploy now."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.duration import Duration
from reconciler.cli.options import cluster_options, namespace_option

if TYPE_CHECKING:
    from reconciler.cli.applications import Document, Kind
    from reconciler.cli.outcomes import Outcome
    from reconciler.ports import Cluster

_LOOK = 0.5
"""Seconds between two looks at the status."""


@click.command()
@click.argument("name")
@namespace_option
@click.option("--revision", help="A branch, tag or commit, for an Application with sync.mode Manual.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it is Ready, or has failed.")
@click.option("--timeout", type=Duration(), default="5m", show_default=True, help="How long to wait.")
@cluster_options
def sync(
    name: str,
    namespace: str,
    revision: str | None,
    wait: bool,
    timeout: float,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Deploy now: ask the remote, apply what Git wants, and wait until it is Ready.

    A Manual application goes to --revision, or to what its spec names when none is given. Exit code 1 when the
    deployment failed or the time is over.

    \b
    Example:
      dispatch sync shop -n team-a --revision v1.4.0
    """
    from reconciler import app

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        token = datetime.now(UTC).isoformat(timespec="microseconds")
        before = ask(cluster, namespace, name, revision, token)
        click.echo(f"asked for a sync of {namespace}/{name}")
        if wait and not follow(cluster, namespace, name, token, before, time.monotonic() + timeout):
            raise SystemExit(1)


def ask(cluster: Cluster, namespace: str, name: str, revision: str | None, token: str) -> Document:
    """Write the wish on the Repository, then on the Application; returns the Application as it is then.

    Raises Terminal when the Application follows its spec and a revision is given, or the server refuses.
    """
    from reconciler.cli.applications import read
    from reconciler.engine.stages.fetch import SYNC, SYNC_REVISION
    from reconciler.model.outcome import StageError

    application = read(cluster, "Application", namespace, name)
    spec = application.get("spec") or {}
    _refuse_revision(spec, namespace, name, revision)
    repository = (spec.get("source") or {}).get("repository", "")
    try:
        _annotate(cluster, "Repository", namespace, repository, {SYNC: token})
    except StageError as error:
        click.echo(f"the remote is asked at its next interval only: {error.message}", err=True)
    wishes = {SYNC: token, SYNC_REVISION: revision}
    return _annotate(cluster, "Application", namespace, name, wishes)


def _refuse_revision(spec: Document, namespace: str, name: str, revision: str | None) -> None:
    from reconciler.model.outcome import Reason, Terminal

    mode = (spec.get("sync") or {}).get("mode", "Automatic")
    if revision is not None and mode != "Manual":
        raise Terminal(
            Reason.INVALID_SPEC,
            f"Application {namespace}/{name} is {mode}: it follows what its spec names. To deploy {revision}, set "
            f"spec.source.revision to it, or set spec.sync.mode to Manual and run this again",
        )


def _annotate(cluster: Cluster, kind: Kind, namespace: str, name: str, annotations: dict[str, str | None]) -> Document:
    from reconciler.cli.applications import served
    from reconciler.model.change import Refusal
    from reconciler.model.outcome import Reason, Terminal

    answer = cluster.patch(served(cluster, kind), namespace, name, {"metadata": {"annotations": annotations}})
    if isinstance(answer, Refusal):
        reason = Reason.FORBIDDEN if answer.code == 403 else Reason.OBJECT_REFUSED
        raise Terminal(reason, f"{kind} {namespace}/{name} could not be marked: {answer.message}")
    return answer


def follow(cluster: Cluster, namespace: str, name: str, token: str, before: Document, deadline: float) -> bool:
    """Print each new state until it is Ready (True), or has failed or the deadline (monotonic) is over (False).

    A server that does not answer for a while is waited for as well.
    """
    told, seen = "", False
    while True:
        now = time.monotonic()
        outcome = _look(cluster, namespace, name, token, before)
        seen = seen or outcome.seen
        if outcome.done is False:
            click.echo(f"{namespace}/{name} failed: {outcome.line}", err=True)
            return False
        if outcome.line != told:
            told = outcome.line
            click.echo(f"{namespace}/{name}: {told}")
        if outcome.done:
            return True
        if now >= deadline:
            click.echo(f"{namespace}/{name} is not Ready in time; last: {told}.{_hint(seen)}", err=True)
            return False
        time.sleep(min(_LOOK, max(deadline - now, 0.0)))


def _look(cluster: Cluster, namespace: str, name: str, token: str, before: Document) -> Outcome:
    from reconciler.cli.applications import read
    from reconciler.cli.outcomes import Outcome, judge
    from reconciler.model.outcome import Transient

    try:
        return judge(read(cluster, "Application", namespace, name), token, before)
    except Transient as error:
        return Outcome(None, error.message, True)


def _hint(seen: bool) -> str:
    return (
        "" if seen else " No controller has taken it up: is `dispatch run` running, and does it watch this namespace?"
    )
