"""`dispatch promotion explain`: where each environment is, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import cluster_options, namespace_option

_SIGNS = {"pass": "open", "wait": "closed", "fail": "failed"}


@click.command()
@click.argument("name")
@namespace_option
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@cluster_options
def explain(name: str, namespace: str, output: str, kubeconfig: Path | None, context: str | None) -> None:
    """Say of each environment what is to come, which gates are open, and what it waits for.

    \b
    Example:
      dispatch promotion explain shop -n team-a
    """
    from reconciler import app
    from reconciler.cli.applications import entries, read
    from reconciler.cli.writing import as_json

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        document = read(cluster, "Promotion", namespace, name)
    found = entries(document, "environments")
    if output == "json":
        click.echo(as_json(found), nl=False)
    elif not found:
        click.echo(f"Promotion {namespace}/{name} was not looked at yet: is `dispatch run` running?", err=True)
    else:
        for entry in found:
            click.echo("\n".join(_lines(entry)))


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    from reconciler.cli.age import stamp

    since = f" since {stamp(entry['since'])}" if entry.get("since") else ""
    yield f"{entry['name']}: {entry['state']}{since}"
    if entry.get("images"):
        yield f"  to come   {', '.join(entry['images'])} (candidate {entry.get('candidate', '')})"
    if entry.get("source"):
        yield f"  from      commit {entry['source'][:10]}"
    if entry.get("pullRequest"):
        yield f"  request   {entry['pullRequest']}"
    for gate in entry.get("gates") or []:
        yield f"  gate      {gate['gate']}: {_SIGNS.get(gate['verdict'], gate['verdict'])}, {gate.get('evidence', '')}"
    yield f"  {entry.get('message', '')}"
