"""`dispatch promotion accept`: let an unreviewed change go further."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.promotion.asking import ask, asking_options


@click.command()
@asking_options
def accept(**options: Any) -> None:
    """Let what was merged by hand, and is not what was proposed, go on from this environment to the next ones.

    It holds for exactly this merge. Exit code 1 when the last merge was of what was proposed.

    \b
    Example:
      dispatch promotion accept shop -n team-a -e staging --reason "the added probe is right"
    """
    from reconciler.model.promotion_action import PromotionWish

    def unreviewed(state: dict[str, Any]) -> str:
        merged = state.get("merged") or {}
        return str(merged.get("commit") or "") if merged.get("verdict") == "Unreviewed" else ""

    nothing = f"the last merge into {options['environment']} was of what was proposed: there is nothing to accept"
    ask(PromotionWish.ACCEPT, unreviewed, nothing, **options)
