"""`dispatch get`: the documents of our kinds and their state."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.applications import Document, Kind, condition, listing, ready_message
from reconciler.cli.columns import COLUMNS
from reconciler.cli.options import cluster_options, namespace_option

_WORDS: dict[str, Kind] = {word: kind for kind, columns in COLUMNS.items() for word in columns.words}


@click.command()
@click.argument("kind", type=click.Choice(list(_WORDS)), metavar="|".join(each.plural for each in COLUMNS.values()))
@click.argument("name", required=False)
@namespace_option
@click.option("-A", "--all-namespaces", is_flag=True, help="Those of all namespaces.")
@click.option("-o", "--output", type=click.Choice(["wide", "json", "yaml", "name"]), help="Instead of the table.")
@cluster_options
def get(
    kind: str,
    name: str | None,
    namespace: str,
    all_namespaces: bool,
    output: str | None,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """List applications, repositories, promotions, hotfixes, image feeds or notifiers, and their state.

    \b
    Examples:
      dispatch get applications -A -o wide
      dispatch get promotions -n team-a
    """
    if name is not None and all_namespaces:
        raise click.UsageError("a name is looked for in one namespace: use -n instead of -A")
    from reconciler import app

    meant = _WORDS[kind]
    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        documents = listing(cluster, meant, "" if all_namespaces else namespace, name)
    if output in ("json", "yaml"):
        _print_documents(documents, output, single=name is not None)
    elif output == "name":
        for document in documents:
            click.echo(f"{meant.lower()}.dispatch.dev/{document['metadata']['name']}")
    elif not documents:
        where = "in any namespace" if all_namespaces else f"in namespace {namespace}"
        click.echo(f"no {COLUMNS[meant].plural} {where}", err=True)
    else:
        _print_table(documents, meant, wide=output == "wide")


def _print_documents(documents: list[Document], output: str, *, single: bool) -> None:
    """As kubectl does: one object for a name, else a List; without managedFields, which nobody reads."""
    from reconciler.cli.writing import as_json, as_yaml

    for document in documents:
        document["metadata"].pop("managedFields", None)
    shown: Any = documents[0] if single else {"apiVersion": "v1", "kind": "List", "items": documents}
    click.echo(as_json(shown) if output == "json" else as_yaml(shown), nl=False)


def _print_table(documents: list[Document], kind: Kind, *, wide: bool) -> None:
    from reconciler.cli.table import one_line, table

    now, columns = datetime.now(UTC), COLUMNS[kind]
    headers = ("NAMESPACE", "NAME", *columns.headers, *(columns.wide if wide else ()))
    rows = [
        (document["metadata"].get("namespace", ""), document["metadata"]["name"], *shown, *(more if wide else ()))
        for document in documents
        for shown, more in columns.rows(document, now)
    ]
    width = shutil.get_terminal_size().columns if wide and sys.stdout.isatty() else None
    click.echo(table(headers, rows, width))
    for document in documents if not wide else ():
        message = ready_message(document)
        if message:
            name = f"{document['metadata'].get('namespace', '')}/{document['metadata']['name']}"
            click.echo(f"\n{name}: {condition(document, 'Ready').get('reason', '')}: {one_line(message)}")
