"""`dispatch promotion hotfix`: bring an image straight into one environment."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from reconciler.cli.duration import Duration
from reconciler.cli.options import cluster_options, namespace_option


@click.command()
@click.argument("name")
@namespace_option
@click.option("--environment", "-e", required=True, metavar="E", help="Which environment it goes to; not the first.")
@click.option("--image", "images", multiple=True, required=True, metavar="REF", help="With tag or digest. Repeatable.")
@click.option("--reason", required=True, help="Why it cannot go through the environments before.")
@click.option(
    "--expires-after", type=Duration(), default=4 * 3600.0, help="For how long it may be merged.  [default: 4h]"
)
@click.option("--skip", multiple=True, type=click.Choice(["window", "freeze"]), help="Do not wait for it. Repeatable.")
@cluster_options
def hotfix(
    name: str,
    namespace: str,
    environment: str,
    images: tuple[str, ...],
    reason: str,
    expires_after: float,
    skip: tuple[str, ...],
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Bring an image straight into an environment of the Promotion NAME, past the ones before.

    It is a pull request as any other: the render, vetoes, approvals and checks stand. It waits neither for `healthyFor`
    nor for `analysis`, which ask the environment before. Once it is merged, a pull request carries it back to the
    environments before.

    \b
    Example:
      dispatch promotion hotfix shop -n team-a -e production --image registry.example.com/shop:1.4.1 \\
        --reason "CVE-2026-1234 is being exploited" --skip freeze
    """
    from reconciler import app
    from reconciler.cli.actions import kind_of, named, who, write
    from reconciler.cli.applications import read
    from reconciler.core.approving import FIXER
    from reconciler.model.resource import API_VERSION, format_duration

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        _check_environment(read(cluster, "Promotion", namespace, name), environment)
        spec = {
            "promotion": name,
            "environment": environment,
            "images": list(images),
            "reason": reason,
            "expiresAfter": format_duration(expires_after),
            **({"skip": list(dict.fromkeys(skip))} if skip else {}),
            "by": who(cluster),
        }
        metadata = named(name, "hotfix", namespace)
        document = {"apiVersion": API_VERSION, "kind": "Hotfix", "metadata": metadata, "spec": spec}
        _check_document(document)
        write(cluster, kind_of(cluster, "Hotfix"), document, "A hotfix", FIXER)
    click.echo(
        f"asked as {spec['by']}: Hotfix {metadata['name']}. `dispatch promotion explain {name}` says where it is"
    )


def _check_environment(promotion: dict[str, Any], environment: str) -> None:
    written = (promotion.get("spec") or {}).get("environments") or []
    first, *others = [str(each.get("name", "")) for each in written if isinstance(each, dict)] or [""]
    if environment == first:
        raise click.BadParameter(f"{first} is the first environment: commit to it", param_hint="--environment")
    if environment not in others:
        there = ", ".join(others) or "none"
        raise click.BadParameter(
            f"the Promotion has no environment {environment!r}: {there}", param_hint="--environment"
        )


def _check_document(document: dict[str, Any]) -> None:
    """Raises Terminal(INVALID_SPEC): what the API server says of a pattern helps nobody."""
    from reconciler.model.document import load
    from reconciler.model.manifest import Origin

    load(document, Origin("--image"))
