"""`dispatch doctor`: what is missing, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.colour import colour_option
from reconciler.cli.options import cluster_options


@click.command()
@click.option(
    "-n", "--namespace", default="", help="Check the rights in this namespace only, as `run --namespace` has it."
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@colour_option
@cluster_options
def doctor(namespace: str, output: str, color: str, kubeconfig: Path | None, context: str | None) -> None:
    """Check the tools, their versions and the access to the cluster, and say what to do.

    ✓ is good, ! works less well, ✗ must be mended. Nothing is written to the cluster. Exit code 0 when nothing that
    Dispatch needs has failed, else 1.

    \b
    Example:
      dispatch doctor --kubeconfig prod.yaml
    """
    from reconciler.cli.cluster_checks import cluster
    from reconciler.cli.colour import painter
    from reconciler.cli.diagnosis import Mark, as_lines, as_values
    from reconciler.cli.machine_checks import machine
    from reconciler.cli.writing import as_json

    checks = [*machine(), *cluster(kubeconfig, context, namespace)]
    if output == "json":
        click.echo(as_json(as_values(checks)), nl=False)
    else:
        for line in as_lines(checks, painter(color)):
            click.echo(line, color=True)
    raise SystemExit(int(any(check.mark is Mark.FAILED for check in checks)))
