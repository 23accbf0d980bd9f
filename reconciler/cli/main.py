"""The `dispatch` command: a table of verbs, each imported only when it is called."""

from __future__ import annotations

import click

import reconciler
from reconciler.cli.verbs import Verbs

_VERBS = {
    "run": "Run the controller.",
    "install": "Install the custom resources and the controller's rights into a cluster.",
    "doctor": "Check the tools, their versions and the access, and say what to do.",
    "sandbox": "A Kubernetes to try things on, without Docker.",
    "init": "Write a config repository that works as it is.",
    "validate": "Check documents without a cluster.",
    "render": "Print the objects of a folder, in apply order.",
    "diff": "Show what applying would change.",
    "health": "Print the health of each object in a file, without a cluster.",
    "get": "List applications, repositories, promotions, image feeds or notifiers, and their state.",
    "tree": "Show an application's objects and what they own.",
    "history": "Show what was deployed, and when.",
    "sync": "Deploy now.",
    "promotion": "See how a version goes from one environment to the next.",
    "release": "Tell the image feeds of an application that an image was pushed.",
    "rollout": "See how a new version is walked out, and promote or abort it.",
    "drift": "Show what somebody changed in the cluster.",
}


@click.group(
    cls=Verbs, verbs=_VERBS, package="reconciler.cli", context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(reconciler.__version__, prog_name="dispatch")
def dispatch() -> None:
    """GitOps deployment reconciler for Kubernetes."""


def main() -> None:
    """The entry point. An outcome that reaches it is the user's to mend: its words, no trace, exit code 2."""
    from reconciler.model.outcome import StageError

    try:
        dispatch()
    except StageError as error:
        click.echo(f"error: {error.message}", err=True)
        raise SystemExit(2) from None
