"""`dispatch health`: the verdict on each object of a file. No cluster is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from reconciler.adapters.render.documents.builder import Document
    from reconciler.model.manifest import Origin
    from reconciler.model.outcome import Terminal


class Found(NamedTuple):
    """An object of a file. `ref` is its identity as text: `Deployment.apps/staging/web`."""

    ref: str
    document: dict[str, Any]


@click.command()
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    required=True,
    metavar="FILE",
    help="YAML or JSON, `-` is standard input. Can be given several times.",
)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def health(files: tuple[str, ...], output: str) -> None:
    """Print the health of each object in a file, without a cluster.

    The words are Argo CD's: Healthy, Suspended, Progressing, Missing, Degraded, Unknown. The exit code is 0 whatever
    they are, and 2 when a file cannot be read.

    \b
    Example:
      kubectl get all -n shop -o yaml | dispatch health -f -
    """
    from reconciler.cli.table import table
    from reconciler.cli.writing import as_json
    from reconciler.core.health import assess

    verdicts = [(found.ref, assess(found.document)) for name in files for found in _objects(name)]
    if output == "json":
        rows = [{"ref": ref, "level": verdict.level.value, "message": verdict.message} for ref, verdict in verdicts]
        click.echo(as_json(rows), nl=False)
    elif verdicts:
        lines = [(verdict.level.value, ref, verdict.message) for ref, verdict in verdicts]
        click.echo(table(("LEVEL", "OBJECT", "MESSAGE"), lines))
    else:
        click.echo("no objects found", err=True)


def _objects(name: str) -> Iterator[Found]:
    """Raises Terminal: PATH_NOT_FOUND, INVALID_MANIFEST with file and line."""
    from reconciler.model.manifest import Origin

    shown = "stdin" if name == "-" else name
    for document in _documents(shown, _read(name)):
        yield from _opened(document.value, Origin(shown, document.line), document.item_lines)


def _read(name: str) -> bytes:
    from reconciler.model.outcome import Reason, Terminal

    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        why = f"{error.strerror}: name its files" if Path(name).is_dir() else error.strerror
        raise Terminal(Reason.PATH_NOT_FOUND, f"cannot read {name}: {why}") from error


def _documents(name: str, content: bytes) -> list[Document]:
    """As kubectl reads them: what starts with a brace is tried as JSON first."""
    from reconciler.adapters.render.documents import builder, json_text
    from reconciler.model.manifest import Origin

    bounds = builder.Bounds()
    if json_text.looks_like_json(content):
        try:
            return list(json_text.documents(content, bounds))
        except json_text.NotJson:
            pass
    try:
        return list(builder.documents(content, bounds))
    except builder.BadText as bad:
        raise _invalid(Origin(name, bad.line), bad.message) from bad


def _opened(value: Any, origin: Origin, lines: tuple[int, ...] = ()) -> Iterator[Found]:
    """The object itself or the items of a list. The API leaves out the kind of the items of a `PodList`."""
    if not isinstance(value, dict):
        raise _invalid(origin, "this is not a Kubernetes object but a single value or a list of values")
    kind = value.get("kind")
    items = (value.get("items") or []) if kind == "List" else value.get("items")
    if not isinstance(kind, str) or not kind.endswith("List") or not isinstance(items, list):
        yield _checked(value, origin)
        return
    inherited = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
    for index, item in enumerate(items):
        line = lines[index] if len(lines) == len(items) else origin.line
        whole = {**inherited, **item} if isinstance(item, dict) and "kind" not in item else item
        yield from _opened(whole, origin._replace(line=line))


def _checked(value: dict[str, Any], origin: Origin) -> Found:
    """What every object has; the rest is for the rules of its kind."""
    from reconciler.model.identity import ObjectId, group_of

    api_version, kind = (_text(value, field, origin) for field in ("apiVersion", "kind"))
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        raise _invalid(origin, "this object has no `metadata`")
    name = _text(metadata, "name" if metadata.get("name") else "generateName", origin, "metadata.name")
    namespace = _text(metadata, "namespace", origin, "metadata.namespace") if metadata.get("namespace") else ""
    return Found(str(ObjectId(group_of(api_version), kind, namespace, name)), value)


def _text(value: dict[str, Any], field: str, origin: Origin, shown: str = "") -> str:
    found = value.get(field)
    if not found:
        raise _invalid(origin, f"this object has no `{shown or field}`")
    if not isinstance(found, str):
        raise _invalid(origin, f"the `{shown or field}` of this object is not text: write it in quotes")
    return found


def _invalid(origin: Origin, message: str) -> Terminal:
    from reconciler.model.outcome import Reason, Terminal

    return Terminal(Reason.INVALID_MANIFEST, f"{origin}: {message}")
