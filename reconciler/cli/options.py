"""Options that several verbs share, with one meaning everywhere."""

from __future__ import annotations

import re
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


render_limit_option = click.option(
    "--render-limit",
    "render_limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="Raise or lower a limit of the renderers: file, read-set, output, time, memory, parallel. Repeatable.",
)
"""The limits that an error about one of them names."""


def namespace_option(command: Decorated) -> Decorated:
    """`-n`, as kubectl has it."""
    return click.option("-n", "--namespace", default="default", show_default=True, help="The documents' namespace.")(
        command
    )


def check_url(option: str, url: str) -> None:
    """An address of a server, or nothing: before it is written into other systems. Raises UsageError."""
    if url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
        raise click.UsageError(f"{option} {url} is no address: write http://HOST:PORT")
