"""`dispatch rollout status`: how far each rollout is, and what Dispatch decides about it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import cluster_options, namespace_option

if TYPE_CHECKING:
    from reconciler.cli.applications import Document
    from reconciler.cli.rollout.picture import Picture

_HEADERS = ("ROLLOUT", "PHASE", "STEP", "WEIGHT", "PODS", "VERSION", "STABLE", "IMAGES")


@click.command()
@click.argument("name")
@namespace_option
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@cluster_options
def status(name: str, namespace: str, output: str, kubeconfig: Path | None, context: str | None) -> None:
    """Show how far each rollout is, its analyses, what Dispatch decides about it, and what waits or is vetoed.

    \b
    Example:
      dispatch rollout status shop -n team-a
    """
    from reconciler import app
    from reconciler.cli.rollout import found
    from reconciler.cli.rollout.picture import pictures

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        scene = found.scene(cluster, namespace, name)
    drawn = pictures(scene, datetime.now(UTC))
    for note in scene.notes:
        click.echo(f"not shown: {note}", err=True)
    if output == "json":
        from reconciler.cli.rollout.value import as_value
        from reconciler.cli.writing import as_json

        click.echo(as_json(as_value(scene.application, drawn)), nl=False)
        return
    if drawn:
        from reconciler.cli.table import table

        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(table(_HEADERS, [row(each) for each in drawn], width))
    else:
        click.echo(f"Application {namespace}/{name} has no Rollout", err=True)
    for line in (*(line for each in drawn for line in details(each)), *of_application(scene.application)):
        click.echo(line)


def row(picture: Picture) -> tuple[str, ...]:
    """One line of the table; people count steps from 1."""
    from reconciler.cli.rollout.steps import Reached

    reached = [step.reached for step in picture.steps]
    step = f"{reached.count(Reached.DONE)} of {len(reached)} done" if reached else "-"
    if Reached.NOW in reached:
        step = f"{reached.index(Reached.NOW) + 1} of {len(reached)}: {picture.steps[reached.index(Reached.NOW)].words}"
    new = next((each for each in picture.versions if each.hash == picture.seen.pod_hash), None)
    return (
        f"{picture.id.namespace}/{picture.id.name}",
        picture.phase,
        step,
        "-" if picture.weight is None else f"{picture.weight}%",
        "-" if picture.by_pods is None or new is None else f"{new.ready} of {_ready(picture)}, {picture.by_pods}%",
        _version(picture, picture.seen.pod_hash),
        "same" if picture.seen.promoted else _version(picture, picture.seen.stable_hash),
        ", ".join(new.images) if new else "",
    )


def _ready(picture: Picture) -> int:
    return sum(each.ready for each in picture.versions)


def _version(picture: Picture, hash: str) -> str:
    """`7d9c6b5f4c@0123456789`: the hash of the pods, and the commit."""
    found = next((each for each in picture.versions if each.hash == hash), None)
    commit = f"@{found.commit[:10]}" if found and found.commit else ""
    return f"{hash}{commit}" if hash else "-"


def details(picture: Picture) -> Iterator[str]:
    """What does not fit into a row."""
    from reconciler.cli.table import one_line

    name = f"{picture.id.namespace}/{picture.id.name}"
    if picture.seen.message:
        yield f"\n{name}: {one_line(picture.seen.message)}"
    for run in picture.analyses:
        where = f"step {run.step + 1}" if run.step is not None else run.kind
        ended = ", ended by hand: no pass" if run.ended else ""
        why = f": {one_line(run.message)}" if run.message else ""
        yield f"{name}: analysis of {where}: {run.phase}{ended}{why}"
        for metric in run.metrics:
            values = ", ".join(one_line(each.value) for each in metric.last if each.value)
            counts = f"{metric.good} good, {metric.bad} bad, {metric.unclear} unclear, {metric.errors} errors"
            yield f"  {metric.name}: {counts}{f'; last {values}' if values else ''}"
    if picture.decision:
        yield f"{name}: Dispatch: {picture.decision}{f': {one_line(picture.why)}' if picture.why else ''}"


def of_application(application: Document) -> Iterator[str]:
    """What waits, what may not come back, and what happened in Git."""
    from reconciler.cli.age import stamp
    from reconciler.cli.applications import entries, short_revision
    from reconciler.cli.applications import status as value
    from reconciler.cli.table import one_line

    queued: dict[str, Any] = value(application, "queued") or {}
    if queued:
        yield f"queued: {short_revision(queued.get('revision', ''))}: {one_line(str(queued.get('message', '')))}"
    for veto in entries(application, "vetoes"):
        who = f" by {veto['by']}" if veto.get("by") else ""
        images = f" ({', '.join(veto.get('images') or ())})" if veto.get("images") else ""
        revision = short_revision(veto.get("revision", ""))
        yield f"veto: {revision}{images}{who}, {stamp(veto.get('at'))}: {one_line(str(veto.get('why', '')))}"
    revert: dict[str, Any] = value(application, "revert") or {}
    if revert:
        where = revert.get("pullRequest") or str(revert.get("commit", ""))[:10]
        why = f": {one_line(str(revert['message']))}" if revert.get("message") else ""
        yield f"revert: {revert.get('state', '')} {where}{why}"
