"""`dispatch history`: what was deployed, and when."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import cluster_options, namespace_option

_HEADERS = ("REVISION", "WHEN", "AGE", "RESULT", "CREATED", "CHANGED", "PRUNED", "SECONDS", "MESSAGE")


@click.command()
@click.argument("name")
@namespace_option
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@cluster_options
def history(name: str, namespace: str, output: str, kubeconfig: Path | None, context: str | None) -> None:
    """Show what was deployed, when, and what came of it; the newest first.

    \b
    Example:
      dispatch history shop -n team-a
    """
    from reconciler import app
    from reconciler.cli.applications import entries, read
    from reconciler.cli.table import table
    from reconciler.cli.writing import as_json

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        found = entries(read(cluster, "Application", namespace, name), "history")
    if output == "json":
        click.echo(as_json(found), nl=False)
    elif not found:
        click.echo(f"Application {namespace}/{name} has no history yet", err=True)
    else:
        now = datetime.now(UTC)
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(table(_HEADERS, [_row(entry, now) for entry in found], width))


def _row(entry: dict[str, Any], now: datetime) -> tuple[str, ...]:
    from reconciler.cli.age import age, stamp
    from reconciler.cli.applications import short_revision

    count = entry.get("count", 1)
    return (
        short_revision(entry.get("revision", "")),
        stamp(entry.get("at")),
        age(entry.get("at"), now),
        entry.get("result", "") + (f" x{count}" if count > 1 else ""),
        str(entry.get("created", 0)),
        str(entry.get("changed", 0)),
        str(entry.get("pruned", 0)),
        f"{entry.get('seconds', 0.0):.1f}",
        entry.get("message", ""),
    )
