"""`dispatch rollout promote`: let a version go on."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.rollout.asking import ask, asking_options


@click.command()
@asking_options
@click.option("--full", is_flag=True, help="Skip all steps and analyses that are left.")
def promote(full: bool, **options: Any) -> None:
    """Let the version go on: end the pause at which it waits, or pass its gate.

    It holds for exactly the version and the step that are there now. Exit code 1 when nothing waits for a person, when
    it was refused, or when Dispatch does not answer.

    \b
    Example:
      dispatch rollout promote shop -n team-a --reason "no errors in an hour"
    """
    from reconciler.model.rollout import Wish

    ask(Wish.PROMOTE_FULL if full else Wish.PROMOTE, **options)
