"""`dispatch promotion explain`: where each environment is, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import cluster_options, namespace_option

_SIGNS = {"pass": "open", "wait": "closed", "fail": "failed"}


@click.command()
@click.argument("name")
@namespace_option
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Replay from these files or folders: the Promotion, its Applications, the Repository. Repeatable.",
)
@click.option("--repository", type=click.Path(path_type=Path), help="With -f: a clone of the config repository.")
@click.option("--at", help="With -f: decide as at this time (RFC 3339); now if not given.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@cluster_options
def explain(
    name: str,
    namespace: str,
    files: tuple[Path, ...],
    repository: Path | None,
    at: str | None,
    output: str,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Say of each environment what is to come, which gates are open, and what it waits for.

    With -f the decision of the controller is made again from files: what it would do next, why, and what would let the
    version go on. No cluster and no forge is asked: what people, CI and metrics said is taken from the status.

    \b
    Examples:
      dispatch promotion explain shop -n team-a
      kubectl get promotions,hotfixes,applications,repositories -n team-a -o yaml >team-a.yaml
      dispatch promotion explain shop -n team-a -f team-a.yaml --repository ~/config --at 2026-11-26T18:00:00Z
    """
    if files:
        if repository is None:
            raise click.UsageError("-f needs a clone of the config repository: name it with --repository")
        _replay(name, namespace, files, repository, _moment(at), output)
        return
    if repository is not None or at is not None:
        raise click.UsageError("--repository and --at are for a replay from files: give them with -f")
    _ask(name, namespace, output, kubeconfig, context)


def _ask(name: str, namespace: str, output: str, kubeconfig: Path | None, context: str | None) -> None:
    from reconciler import app
    from reconciler.cli.applications import entries, listing, read
    from reconciler.cli.writing import as_json
    from reconciler.model.resource import API_VERSION

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        document = read(cluster, "Promotion", namespace, name)
        # An older installation has no such kind.
        known = cluster.resource(API_VERSION, "Hotfix") is not None
        fixes = listing(cluster, "Hotfix", namespace) if known and output == "text" else []
    found = entries(document, "environments")
    if output == "json":
        click.echo(as_json(found), nl=False)
    elif not found:
        click.echo(f"Promotion {namespace}/{name} was not looked at yet: is `dispatch run` running?", err=True)
    else:
        for entry in found:
            click.echo("\n".join(_lines(entry)))
    for fix in fixes:
        if (fix.get("spec") or {}).get("promotion") == name:
            click.echo("\n".join(_of_hotfix(fix)))


def _of_hotfix(fix: dict[str, Any]) -> Iterator[str]:
    from reconciler.cli.applications import entries, ready_message, status

    spec, target = fix["spec"], status(fix, "target")
    yield f"Hotfix {fix['metadata']['name']} of {spec.get('by')}: {spec.get('reason')}"
    for entry in (*([target] if target else []), *entries(fix, "back")):
        yield from (f"  {line}" for line in _lines(entry))
    if not target:
        yield f"  why       {ready_message(fix) or 'it was not looked at yet'}"


def _replay(name: str, namespace: str, files: Sequence[Path], clone: Path, now: datetime, output: str) -> None:
    from reconciler.cli.promotion import replay
    from reconciler.cli.writing import as_json

    found = replay.replayed(name, namespace, files, clone, now)
    if output == "json":
        click.echo(as_json([replay.as_value(each) for each in found]), nl=False)
        return
    click.echo(f"replayed as at {now:%Y-%m-%d %H:%M:%S} UTC", err=True)
    for each in found:
        click.echo("\n".join([*_lines(replay.entry(each)), *replay.lines(each)]))


def _moment(text: str | None) -> datetime:
    from reconciler.cli.age import moment

    if text is None:
        return datetime.now(UTC)
    found = moment(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no time: write it as 2026-11-26T18:00:00Z", param_hint="--at")
    return found.astimezone(UTC)


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    from reconciler.cli.age import stamp

    since = f" since {stamp(entry['since'])}" if entry.get("since") else ""
    yield f"{entry['name']}: {entry['state']}{since}"
    if entry.get("images"):
        yield f"  to come   {', '.join(entry['images'])} (candidate {entry.get('candidate', '')})"
    for part in entry.get("parts") or []:
        yield f"  part      {part}"
    if entry.get("source"):
        yield f"  from      commit {entry['source'][:10]}"
    if entry.get("pullRequest"):
        yield f"  request   {entry['pullRequest']}"
    if entry.get("earliest"):
        yield f"  earliest  {stamp(entry['earliest'])}"
    for gate in entry.get("gates") or []:
        yield f"  gate      {gate['gate']}: {_SIGNS.get(gate['verdict'], gate['verdict'])}, {gate.get('evidence', '')}"
    yield f"  why       {entry.get('message', '')}"
