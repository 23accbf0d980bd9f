"""A Promotion explained from files: documents as `kubectl get -o yaml` gives them, and a clone of the repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.model.outcome import Reason, Terminal

if TYPE_CHECKING:
    from reconciler.engine.catalog import Catalog
    from reconciler.engine.promotion_replay import Replayed
    from reconciler.engine.sources import Sources
    from reconciler.ports import Source

_TRACKED = "refs/remotes/origin/"
_HEADS = "refs/heads/"
_PATIENCE = 60.0
"""Seconds for each thing that git reads of the clone."""


def replayed(name: str, namespace: str, files: Sequence[Path], clone: Path, now: datetime) -> list[Replayed]:
    """Each environment but the first. Raises Terminal, with the file where it is about one."""
    from reconciler import app
    from reconciler.engine.keys import Key
    from reconciler.engine.promotion_replay import Files, Rules, replay

    if not clone.is_dir():
        raise Terminal(Reason.PATH_NOT_FOUND, f"--repository {clone} is no folder: name a clone of the repository")
    settings = app.Settings(allow_file_repositories=True)
    catalog = _catalog(files)
    source, renderer = app.open_source(settings), app.open_renderer(settings)
    try:
        parts = Files(source, renderer, catalog, _sources(source, catalog, clone))
        judge, forecast = app.promotion_rules()
        return list(replay(parts, Key("Promotion", namespace, name), Rules(judge, forecast, now)))
    finally:
        renderer.close()
        source.close()


def lines(found: Replayed) -> Iterator[str]:
    """What is shown of one environment, beside what its status would show."""
    yield f"  next      {found.decision.act.value}"
    for sentence in found.opens:
        yield f"  opens by  {sentence}"
    before, now = found.status, found.decision.state
    if (before.state, before.message) != (now.state, now.message):
        yield f"  status    {before.state.value}: {before.message or 'nothing yet'}"
    for note in found.notes:
        yield f"  note      {note}"


def entry(found: Replayed) -> dict[str, Any]:
    """The state as it would be in the status."""
    state: dict[str, Any] = found.decision.state.model_dump(by_alias=True, mode="json", exclude_defaults=True)
    return state


def as_value(found: Replayed) -> dict[str, Any]:
    """The state, with what is known beside it."""
    before = found.status.model_dump(by_alias=True, mode="json", exclude_defaults=True)
    more = {"next": found.decision.act.name.lower(), "opensBy": list(found.opens), "notes": list(found.notes)}
    return {**entry(found), **more, "status": before}


def _catalog(files: Iterable[Path]) -> Catalog:
    from reconciler import app
    from reconciler.cli.document_files import named
    from reconciler.engine.catalog import Catalog
    from reconciler.model.document import is_ours

    catalog = Catalog(lambda key: None)
    for path in (found.path for each in files for found in named(each)):
        for document in app.read_documents(path):
            for value in _each(document.value):
                if is_ours(value) and isinstance(value.get("metadata"), dict) and value["metadata"].get("name"):
                    catalog.observe(value)
    return catalog


def _each(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a document: itself, or the items of a List."""
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        yield from (each for each in value["items"] if isinstance(each, dict))
    elif isinstance(value, dict):
        yield value


def _sources(source: Source, catalog: Catalog, clone: Path) -> Sources:
    """The clone in the place of every Repository's remote: what it knows of its origin, else its own branches."""
    from reconciler.engine.sources import Seen, Sources
    from reconciler.ports import Remote

    remote = Remote(str(clone.resolve()), None, _PATIENCE)
    refs = dict(source.refs(remote))
    refs |= {f"{_HEADS}{ref[len(_TRACKED) :]}": oid for ref, oid in refs.items() if ref.startswith(_TRACKED)}
    sources = Sources()
    for key, _ in catalog.all("Repository"):
        sources.put(key, Seen(remote, refs))
    if not catalog.all("Repository"):
        click.echo("the files have no Repository that can be read: add it with -f", err=True)
    return sources
