"""`dispatch rollout retry`: start an aborted version again."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.rollout.asking import ask, asking_options


@click.command()
@asking_options
def retry(**options: Any) -> None:
    """Start an aborted version again at its first step; lift the veto that keeps it away.

    \b
    Example:
      dispatch rollout retry shop -n team-a --reason "the database was down"
    """
    from reconciler.model.rollout import Wish

    ask(Wish.RETRY, **options)
