"""`dispatch promotion again`: propose once more what was kept back."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.promotion.asking import ask, asking_options


@click.command()
@asking_options
def again(**options: Any) -> None:
    """Propose a version once more whose pull request was closed, or which the environment has given up again.

    It goes the whole way again, through all gates. Exit code 1 when nothing is kept back.

    \b
    Example:
      dispatch promotion again shop -n team-a -e production --reason "the outage was not ours"
    """
    from reconciler.model.promotion_action import PromotionWish

    nothing = f"nothing is kept back from {options['environment']}: `dispatch promotion explain` says where it is"
    ask(PromotionWish.AGAIN, lambda state: str(state.get("again") or ""), nothing, **options)
