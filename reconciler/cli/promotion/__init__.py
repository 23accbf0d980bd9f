"""`dispatch promotion`: see how a version goes from one environment to the next, and let it go on."""

from __future__ import annotations

import click

from reconciler.cli.verbs import Verbs

_VERBS = {
    "explain": "Say where each environment is, why, and what to do.",
    "again": "Propose once more what was closed, or taken out again.",
    "hotfix": "Bring an image straight into one environment.",
    "accept": "Let an unreviewed change go further.",
}


@click.group(cls=Verbs, verbs=_VERBS, package="reconciler.cli.promotion")
def promotion() -> None:
    """The road of a version from one environment to the next. NAME is a Promotion."""
