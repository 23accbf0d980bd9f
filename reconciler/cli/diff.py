"""`dispatch diff`: what applying would change."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.colour import colour_option
from reconciler.cli.options import cluster_options
from reconciler.cli.rendering import name_hooks, of_file, of_folder, render_options

if TYPE_CHECKING:
    from reconciler.cli.targets import Target
    from reconciler.engine.preview import Difference
    from reconciler.ports import Cluster


@click.command()
@click.argument("target", required=False, metavar="[PATH|NAME]")
@click.option("-f", "--file", type=click.Path(path_type=Path), help="Compare what the Application in this file says.")
@click.option(
    "-n",
    "--namespace",
    help="Of the Application NAME; for objects and documents that name none. `default` if not given.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@colour_option
@render_options
@cluster_options
def diff(
    target: str | None,
    file: Path | None,
    namespace: str | None,
    output: str,
    color: str,
    name: str | None,
    renderer: str,
    values: tuple[Path, ...],
    root: Path | None,
    allow_remote_bases: bool,
    render_limits: tuple[str, ...],
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Show what applying would change: the live objects against what Git wants, by the server's dry-run.

    The target is a folder, the file of an Application (-f), or the NAME of an Application in the cluster, whose
    revision is then fetched. A folder wins over an Application of the same name. Nothing is written; the values of
    Secrets are masked. Exit code 0: no difference, 1: differences, 2: an error.

    \b
    Examples:
      dispatch diff overlays/staging -n shop
      dispatch diff -f applications/shop.yaml
      dispatch diff shop -n team-a
    """
    if (target is None) == (file is None):
        raise click.UsageError("name either a folder, an Application of the cluster, or an Application's file with -f")
    if (values or renderer != "auto") and (target is None or not _is_path(target)):
        raise click.UsageError("--renderer and --values are for a folder: else the Application says them")
    from reconciler import app
    from reconciler.cli.targets import of_cluster, of_local

    settings = app.Settings(
        kubeconfig,
        context,
        allow_file_repositories=True,
        allow_remote_bases=allow_remote_bases,
        render_limits=render_limits,
    )
    with closing(app.connect(settings)) as cluster:
        place = namespace or "default"
        if target is not None and not _is_path(target):
            found = of_cluster(cluster, place, target, settings)
        else:
            if file is not None:
                local = of_file(file, name=name, namespace=namespace, root=root)
            else:
                folder = Path(target or ".")
                local = of_folder(folder, name=name, namespace=place, renderer=renderer, values=values, root=root)
            found = of_local(cluster, local, place, settings)
        name_hooks(found.rendered.hooks)
        differences = _compare(cluster, found)
    raise SystemExit(_show(differences, output, color))


def _is_path(target: str) -> bool:
    """An object's name has no slash and is no `.`; a folder that is there wins."""
    return "/" in target or target in (".", "..") or Path(target).is_dir()


def _compare(cluster: Cluster, target: Target) -> list[Difference]:
    from reconciler import app
    from reconciler.core.applyset import applyset_id
    from reconciler.core.desired import complete
    from reconciler.core.order import stages
    from reconciler.engine.outlook import shaped, told
    from reconciler.engine.preview import leaving, preview
    from reconciler.model.application import ApplicationStatus

    application, manifests = target.application, target.rendered.manifests
    if application is None:
        ordered = [manifest for stage in stages(manifests) for manifest in stage]
        return preview(cluster, complete(ordered, cluster.resource, target.namespace, ""))
    applyset = applyset_id(application.metadata.name, application.metadata.namespace)
    commit = target.commit or "uncommitted"
    made = shaped(cluster, application, manifests, app.rollout_strategies(), applyset, commit)
    ordered = [manifest for stage in stages(made.manifests) for manifest in stage]
    wanted = complete(ordered, cluster.resource, target.namespace, applyset)
    ignore = (*application.spec.drift.ignore, *made.ignore)
    found = preview(cluster, wanted, applyset=applyset, ignore=ignore)
    found = told(cluster, application, target.status or ApplicationStatus(), made, wanted, found)
    gone, notes = leaving(cluster, applyset, target.contained, {each.id for each in wanted}, application.spec.sync)
    for note in notes:
        click.echo(note, err=True)
    return [*found, *gone]


def _show(differences: Sequence[Difference], output: str, color: str) -> int:
    """The exit code. Errors are on standard error in the text, and in the array in JSON."""
    from reconciler.cli.colour import painter
    from reconciler.cli.differences import as_text, as_values, summary
    from reconciler.cli.writing import as_json
    from reconciler.model.change import Action

    errors = [each.error for each in differences if each.error]
    changes = [each for each in differences if each.action is not Action.NONE]
    if output == "json":
        click.echo(as_json(as_values(differences)), nl=False)
    else:
        paint = painter(color)
        for each in changes:
            click.echo(as_text(each, paint), color=True)
        for error in errors:
            click.echo(f"error: {error}", err=True)
        click.echo(summary(differences), err=True)
    return 2 if errors else 1 if changes else 0
