"""`dispatch get`: Applications or Repositories and their state."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.applications import Document, Kind, condition, listing, ready_message, short_revision, status
from reconciler.cli.options import cluster_options, namespace_option

_WORDS: dict[str, Kind] = {
    "applications": "Application",
    "application": "Application",
    "apps": "Application",
    "app": "Application",
    "repositories": "Repository",
    "repository": "Repository",
    "repos": "Repository",
    "repo": "Repository",
}


@click.command()
@click.argument("kind", type=click.Choice(list(_WORDS)), metavar="applications|repositories")
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
    """List applications (or repositories) and their state.

    \b
    Example:
      dispatch get applications -A -o wide
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
        click.echo(f"no {'applications' if meant == 'Application' else 'repositories'} {where}", err=True)
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

    now = datetime.now(UTC)
    row = _application if kind == "Application" else _repository
    headers, rows = _HEADERS[kind], [row(document, now) for document in documents]
    if wide:
        headers, rows = (
            (*headers, *_WIDE[kind]),
            [(*cells, *_more(document, kind)) for cells, document in zip(rows, documents, strict=True)],
        )
    width = shutil.get_terminal_size().columns if wide and sys.stdout.isatty() else None
    click.echo(table(headers, rows, width))
    for document in documents if not wide else ():
        message = ready_message(document)
        if message:
            name = f"{document['metadata'].get('namespace', '')}/{document['metadata']['name']}"
            click.echo(f"\n{name}: {condition(document, 'Ready').get('reason', '')}: {one_line(message)}")


_HEADERS: dict[Kind, tuple[str, ...]] = {
    "Application": ("NAMESPACE", "NAME", "SYNC", "HEALTH", "REVISION", "AGE"),
    "Repository": ("NAMESPACE", "NAME", "READY", "REVISION", "AGE"),
}
_WIDE: dict[Kind, tuple[str, ...]] = {
    "Application": ("PATH", "OBJECTS", "MESSAGE"),
    "Repository": ("URL", "WEBHOOK", "MESSAGE"),
}


def _application(document: Document, now: datetime) -> tuple[str, ...]:
    from reconciler.cli.age import age

    metadata = document["metadata"]
    revision = status(document, "applied", "revision") or status(document, "attempted", "revision") or ""
    return (
        metadata.get("namespace", ""),
        metadata["name"],
        str(status(document, "sync") or "Unknown"),
        str(status(document, "health") or "Unknown"),
        short_revision(revision),
        age(metadata.get("creationTimestamp"), now),
    )


def _repository(document: Document, now: datetime) -> tuple[str, ...]:
    from reconciler.cli.age import age

    metadata = document["metadata"]
    return (
        metadata.get("namespace", ""),
        metadata["name"],
        str(condition(document, "Ready").get("status", "Unknown")),
        short_revision(status(document, "revision") or ""),
        age(metadata.get("creationTimestamp"), now),
    )


def _more(document: Document, kind: Kind) -> tuple[str, ...]:
    spec = document.get("spec") or {}
    message = ready_message(document)
    if kind == "Repository":
        return str(spec.get("url", "")), _webhook(document), message
    source = spec.get("source") or {}
    return str(source.get("path", ".")), str(status(document, "objects") or 0), message


def _webhook(document: Document) -> str:
    """The state of the hook, and how many events were missed: `Managed, 2 missed`."""
    state, missed = status(document, "webhook", "state"), status(document, "webhook", "missed")
    return f"{state}, {missed} missed" if state and missed else str(state or "")
