"""Asking something of a promotion: find what it is about, and write the PromotionAction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reconciler.cli.actions import kind_of, named, who, write
from reconciler.cli.options import cluster_options, namespace_option
from reconciler.core.approving import RELEASER
from reconciler.model.promotion_action import PromotionWish
from reconciler.model.resource import API_VERSION
from reconciler.ports import Cluster


def asking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every verb that asks takes."""
    for option in (
        cluster_options,
        click.option("--reason", help="Why, for those who look later."),
        click.option("--environment", "-e", required=True, metavar="E", help="Which environment of the Promotion."),
        namespace_option,
        click.argument("name"),
    ):
        command = option(command)
    return command


def ask(
    wish: PromotionWish,
    subject: Callable[[dict[str, Any]], str],
    nothing: str,
    name: str,
    namespace: str,
    environment: str,
    reason: str | None,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """`subject` finds in the state of the environment what is asked for, empty for `nothing`, which is then said.

    Raises Terminal for what is not there, and where the API server refuses.
    """
    from contextlib import closing

    from reconciler import app
    from reconciler.cli.applications import entries, read

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        states = entries(read(cluster, "Promotion", namespace, name), "environments")
        state = next((each for each in states if each["name"] == environment), None)
        version = subject(state) if state is not None else ""
        if not version:
            click.echo(nothing if state is not None else _unknown(name, environment, states), err=True)
            raise SystemExit(1)
        spec = {"promotion": name, "environment": environment, "action": wish.value, "version": version}
        by = who(cluster)
        _write(cluster, namespace, {**spec, "by": by, **({"reason": reason} if reason else {})})
    click.echo(f"asked as {by}: {wish.value} {version} of {environment}. `dispatch promotion explain {name}`")


def _unknown(name: str, environment: str, states: list[dict[str, Any]]) -> str:
    known = ", ".join(each["name"] for each in states) or "none was looked at yet"
    return f"Promotion {name} promotes nothing to an environment {environment!r}: it has {known}"


def _write(cluster: Cluster, namespace: str, spec: dict[str, Any]) -> None:
    metadata = named(spec["promotion"], spec["action"].lower(), namespace)
    document = {"apiVersion": API_VERSION, "kind": "PromotionAction", "metadata": metadata, "spec": spec}
    write(cluster, kind_of(cluster, "PromotionAction"), document, "It", RELEASER)
