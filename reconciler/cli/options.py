"""Options that several verbs share, with one meaning everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorated = Callable[..., Any]


def cluster_options(command: Decorated) -> Decorated:
    """`--kubeconfig` and `--context`, as kubectl has them."""
    for option in (
        click.option("--context", help="The kubeconfig's context to use."),
        click.option(
            "--kubeconfig",
            type=click.Path(dir_okay=False, path_type=Path),
            help="The kubeconfig; $KUBECONFIG or ~/.kube/config when not given.",
        ),
    ):
        command = option(command)
    return command


def namespace_option(command: Decorated) -> Decorated:
    """`-n`, as kubectl has it."""
    return click.option("-n", "--namespace", default="default", show_default=True, help="The documents' namespace.")(
        command
    )
