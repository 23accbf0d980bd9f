"""`dispatch rollout abort`: go back to the stable version, with Dispatch or without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.rollout.asking import ask, asking_options

if TYPE_CHECKING:
    from reconciler.cli.rollout.asking import Target
    from reconciler.ports import Cluster


@click.command()
@asking_options
def abort(**options: Any) -> None:
    """Go back to the stable version.

    Whoever may patch the status of Rollouts aborts at once, even while Dispatch is down; otherwise Dispatch does it.
    Either way it is recorded, and what onFailure says happens in Git.

    \b
    Example:
      dispatch rollout abort shop -n team-a --reason "login is broken"
    """
    from reconciler.model.rollout import Wish

    ask(Wish.ABORT, **options, besides=_at_once)


def _at_once(cluster: Cluster, target: Target) -> bool:
    """By the person's own right, where they have it: a bad version must be stopped while Dispatch is down, too."""
    from reconciler.core.progressive.patches import abort_patch
    from reconciler.core.progressive.template import ROLLOUT
    from reconciler.model.change import Refusal

    seen, resource = target.seen, cluster.preferred(ROLLOUT)
    place = f"Rollout {seen.id.namespace}/{seen.id.name}"
    if resource is None:
        return False
    answer = cluster.patch(resource, seen.id.namespace, seen.id.name, abort_patch(seen), "status")
    if not isinstance(answer, Refusal):
        click.echo(f"aborted: {place} goes back to version {seen.stable_hash} (by your own right to its status)")
        return True
    if answer.code == 403:
        click.echo(f"you may not patch the status of {place} yourself: Dispatch aborts it", err=True)
    elif answer.code == 422:
        click.echo(f"{place} has moved on from version {seen.pod_hash}: it is not aborted by this", err=True)
    else:
        click.echo(f"{place} could not be aborted at once: {answer.message}", err=True)
    return False
