"""`dispatch rollout`: see how a version is walked out, and speak to it."""

from __future__ import annotations

import click

from reconciler.cli.verbs import Verbs

_VERBS = {
    "status": "Show how far each rollout is, and what Dispatch decides about it.",
    "watch": "Draw a rollout live until it is promoted or aborted.",
    "promote": "Let it go on: end a pause or pass a gate.",
    "abort": "Go back to the stable version.",
    "retry": "Start an aborted version again; lift its veto.",
}


@click.group(cls=Verbs, verbs=_VERBS, package="reconciler.cli.rollout")
def rollout() -> None:
    """Progressive delivery: see how a new version is walked out, and speak to it.

    NAME is an Application. What is asked is written as a RolloutAction, an object of the Application's namespace: who
    may create one may approve.
    """
