"""`dispatch drift`: what somebody changed in the cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import cluster_options, namespace_option

_COLUMNS = (
    ("APPLICATION", "application"),
    ("OBJECT", "object"),
    ("FIELD", "field"),
    ("CLASS", "class"),
    ("WANTED", "wanted"),
    ("LIVE", "live"),
    ("MANAGER", "manager"),
    ("WHEN", "at"),
    ("SEEN", "seen"),
    ("CORRECTED", "corrected"),
)
_TIMES = ("at", "seen", "corrected")

Row = dict[str, Any]


@click.command()
@click.argument("name", required=False)
@namespace_option
@click.option("-A", "--all-namespaces", is_flag=True, help="Applications of all namespaces.")
@click.option("-o", "--output", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True)
@cluster_options
def drift(
    name: str | None,
    namespace: str,
    all_namespaces: bool,
    output: str,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Show what somebody changed in the cluster: which field, who, when, and whether it was put back. And where Git and
    the cluster differ because of a version: one that is on its way, was aborted (Git is ahead), or waits its turn.

    \b
    Example:
      dispatch drift -A -o markdown > drift.md
    """
    if name is not None and all_namespaces:
        raise click.UsageError("a name is looked for in one namespace: use -n instead of -A")
    from reconciler import app
    from reconciler.cli.applications import listing

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        documents = listing(cluster, "Application", "" if all_namespaces else namespace, name)
    rows = [row for document in documents for row in [*drifted(document), *_apart(document)]]
    where = "all namespaces" if all_namespaces else f"{namespace}/{name}" if name else f"namespace {namespace}"
    click.echo(_FORMS[output](rows, where), nl=False)


def _apart(application: dict[str, Any]) -> list[Row]:
    from reconciler.cli.versions_apart import apart

    return apart(application)


def drifted(application: dict[str, Any]) -> list[Row]:
    """The fields that differ or have differed, as values for JSON; times in RFC 3339, null where there is none."""
    from reconciler.cli.applications import entries
    from reconciler.cli.versions_apart import hint

    metadata = application["metadata"]
    return [
        {
            "application": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "object": entry.get("object", ""),
            "field": entry.get("field", ""),
            "class": entry.get("drift", ""),
            "wanted": entry.get("wanted", ""),
            "live": entry.get("live", ""),
            "manager": entry.get("manager", ""),
            "operation": entry.get("operation", ""),
            "at": entry.get("at"),
            "seen": entry.get("seen"),
            "corrected": entry.get("corrected"),
            "hint": hint(entry.get("field", ""), entry.get("corrected")),
        }
        for entry in entries(application, "drift")
    ]


def _as_table(rows: Sequence[Row], where: str) -> str:
    from reconciler.cli.table import cut, table

    if not rows:
        return f"no drift in {where}\n"
    headers, cells = _cells(rows)
    shown = table(headers, [[cut(cell, 60) for cell in line] for line in cells]) + "\n"
    return shown + "".join(f"{line}\n" for line in _hints(rows))


def _as_markdown(rows: Sequence[Row], where: str) -> str:
    """A report of its own: a heading, a sentence, a table."""
    from reconciler.cli.versions_apart import OF_VERSIONS

    title = f"## Drift in {where}\n\n"
    if not rows:
        return f"{title}Nothing differs from Git.\n"
    by_hand = [row for row in rows if row["class"] not in OF_VERSIONS]
    left = sum(row["corrected"] is None for row in by_hand)
    summary = f"{len(by_hand)} fields were changed in the cluster; {left} of them still differ from Git.\n\n"
    headers, cells = _cells(rows)
    lines = [headers, ["---"] * len(headers), *([_escape(cell) for cell in line] for line in cells)]
    hints = "".join(f"- {_escape(line)}\n" for line in _hints(rows))
    report = title + summary + "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{report}\n{hints}" if hints else report


def _hints(rows: Sequence[Row]) -> list[str]:
    """What there is to say of a row, once."""
    return list(dict.fromkeys(f"{row['object']}: {row['hint']}" for row in rows if row["hint"]))


def _as_json(rows: Sequence[Row], where: str) -> str:
    from reconciler.cli.writing import as_json

    return as_json(list(rows))


_FORMS: dict[str, Callable[[Sequence[Row], str], str]] = {
    "table": _as_table,
    "markdown": _as_markdown,
    "json": _as_json,
}


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """The columns, without the application's where there is only one."""
    from reconciler.cli.age import stamp

    several = len({(row["namespace"], row["application"]) for row in rows}) > 1
    shown = _COLUMNS if several else _COLUMNS[1:]

    def cell(row: Row, field: str) -> str:
        if field == "application":
            return f"{row['namespace']}/{row['application']}"
        return stamp(row[field]) if field in _TIMES else str(row[field])

    return [header for header, _ in shown], [[cell(row, field) for _, field in shown] for row in rows]


def _escape(cell: str) -> str:
    """Text in a cell of a Markdown table: neither a column more, nor markup, nor HTML, nor a mention of somebody."""
    from reconciler.cli.table import one_line

    plain = one_line(cell).replace("`", "'")
    return f"`{plain.replace('|', chr(92) + '|')}`" if plain else ""
