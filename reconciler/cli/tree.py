"""`dispatch tree`: an Application's objects and what they own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.colour import Paint, colour_option, painter
from reconciler.cli.options import cluster_options, namespace_option

if TYPE_CHECKING:
    from reconciler.cli.applications import Document
    from reconciler.cli.owned import Node

_COLOURS = {"Healthy": "green", "Progressing": "cyan", "Suspended": "blue", "Missing": "yellow"}


@click.command()
@click.argument("name")
@namespace_option
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@colour_option
@cluster_options
def tree(name: str, namespace: str, output: str, color: str, kubeconfig: Path | None, context: str | None) -> None:
    """Show an application's objects, what they own, and how each is.

    \b
    Example:
      dispatch tree shop -n team-a
    """
    from reconciler import app
    from reconciler.cli import owned
    from reconciler.cli.applications import read, status
    from reconciler.cli.writing import as_json

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        application = read(cluster, "Application", namespace, name)
        members, children, notes = owned.collect(cluster, application)
    roots = owned.grow(members, children, datetime.now(UTC))
    roots += owned.missing(application, [root.id for root in roots])
    for note in notes:
        click.echo(f"not shown: {note}", err=True)
    if output == "json":
        value = {
            "ref": f"Application.dispatch.dev/{namespace}/{name}",
            "sync": status(application, "sync") or "Unknown",
            "level": status(application, "health") or "Unknown",
            "revision": status(application, "applied", "revision") or "",
            "children": [owned.as_value(root) for root in roots],
        }
        click.echo(as_json(value), nl=False)
        return
    paint = painter(color)
    click.echo(_title(application, paint))
    for line in draw(roots, paint):
        click.echo(line)
    if not roots:
        click.echo("└─ no objects yet")


def draw(nodes: Sequence[Node], paint: Paint, indent: str = "") -> Iterator[str]:
    """One line for each node, with branches."""
    from reconciler.cli.table import one_line

    for node in nodes:
        last = node is nodes[-1]
        level = node.health.level.value
        message = f": {one_line(node.health.message)}" if node.health.message else ""
        yield f"{indent}{'└─ ' if last else '├─ '}{node.id}  {paint(level, _COLOURS.get(level, 'red'))}{message}"
        yield from draw(node.children, paint, indent + ("   " if last else "│  "))


def _title(application: Document, paint: Paint) -> str:
    from reconciler.cli.applications import ready_message, short_revision, status
    from reconciler.cli.table import one_line

    metadata = application["metadata"]
    health = str(status(application, "health") or "Unknown")
    words = [
        paint(f"Application {metadata.get('namespace', '')}/{metadata['name']}", "bold"),
        str(status(application, "sync") or "Unknown"),
        paint(health, _COLOURS.get(health, "red")),
        short_revision(status(application, "applied", "revision") or ""),
    ]
    message = one_line(ready_message(application))
    return "  ".join(word for word in words if word) + (f"\n│  {message}" if message else "")
