"""`dispatch render`: the objects of a folder, without a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.rendering import name_hooks, of_file, of_folder, render_options, rendered


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("-f", "--file", type=click.Path(path_type=Path), help="Render what the Application in this file says.")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
@click.option("-n", "--namespace", help="For objects that name none, and for Helm's release.")
@render_options
def render(
    path: Path | None,
    file: Path | None,
    output: str,
    namespace: str | None,
    name: str | None,
    renderer: str,
    values: tuple[Path, ...],
    root: Path | None,
    allow_remote_bases: bool,
    render_limits: tuple[str, ...],
) -> None:
    """Print the objects of a folder, in the order in which they are applied. No cluster is needed.

    YAML is a stream of documents, JSON one array of objects.

    \b
    Examples:
      dispatch render overlays/staging
      dispatch render charts/shop --values prod.yaml -o json
      dispatch render -f applications/shop.yaml
    """
    if (path is None) == (file is None):
        raise click.UsageError("name either a folder or an Application's file with -f")
    if file is not None and (values or renderer != "auto"):
        raise click.UsageError("--renderer and --values are for a folder: with -f the Application says them")
    from reconciler import app
    from reconciler.cli.scope import with_namespace
    from reconciler.cli.writing import as_json, as_yaml_stream
    from reconciler.core.order import stages

    if file is not None:
        local = of_file(file, name=name, namespace=namespace, root=root)
    else:
        assert path is not None
        local = of_folder(
            path, name=name, namespace=namespace or "default", renderer=renderer, values=values, root=root
        )
    found = rendered(local, app.Settings(allow_remote_bases=allow_remote_bases, render_limits=render_limits))
    name_hooks(found.hooks)
    ordered = [manifest for stage in stages(found.manifests) for manifest in stage]
    objects = with_namespace(ordered, namespace) if namespace else [manifest.document for manifest in ordered]
    click.echo(as_json(objects) if output == "json" else as_yaml_stream(objects), nl=False)
