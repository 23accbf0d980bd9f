"""`dispatch validate`: documents checked without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from reconciler.cli.checks import LIMIT, Checked, Finding, check
from reconciler.cli.document_files import Expect, Found, named


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...|-")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def validate(files: tuple[str, ...], output: str) -> None:
    """Check documents without a cluster: files, folders, or `-` for standard input.

    Dispatch's own kinds are checked fully. Of other kinds: YAML as kubectl reads it, duplicate keys, and that
    apiVersion, kind and name are there. In folders, templates of Helm charts are left out, and what a kustomization
    reads as patches or settings is checked as YAML only.

    Exit code 0: no errors. 1: errors. 2: something could not be read.
    """
    checked = Checked()
    unread: list[Finding] = []
    count = 0
    for found in _files(files, unread):
        text = _read(found, unread)
        if text is not None:
            count += 1
            check(text, _shown(found), found.expect, checked)
    findings = [*unread, *checked.findings]
    if output == "json":
        from reconciler.cli import writing

        click.echo(writing.as_json([finding._asdict() for finding in findings]), nl=False)
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(_summary(checked, count, unread))
    sys.exit(2 if unread else 1 if findings else 0)


def _files(arguments: Iterable[str], unread: list[Finding]) -> list[Found]:
    found: list[Found] = []
    for argument in dict.fromkeys(arguments):
        before = len(found)
        found += [Found(Path("-"), Expect.OBJECT)] if argument == "-" else named(Path(argument))
        if len(found) == before:
            unread.append(Finding(argument, 0, "", "", "there are no .yaml, .yml or .json files in this folder"))
    return list(dict.fromkeys(found))


def _shown(found: Found) -> str:
    return "<stdin>" if str(found.path) == "-" else str(found.path)


def _read(found: Found, unread: list[Finding]) -> bytes | None:
    """One byte more than the limit at most, so that the check can tell."""
    try:
        if str(found.path) == "-":
            return sys.stdin.buffer.read(LIMIT + 1)
        with found.path.open("rb") as file:
            return file.read(LIMIT + 1)
    except OSError as error:
        unread.append(Finding(_shown(found), 0, "", "", f"cannot be read: {error.strerror}"))
        return None


def _summary(checked: Checked, files: int, unread: list[Finding]) -> str:
    where = f"{_counted(checked.objects, 'object')} ({checked.ours} of Dispatch's kinds) in {_counted(files, 'file')}"
    wrong = len(checked.findings)
    told = [_counted(wrong, "error") if wrong else "no errors"]
    if unread:
        told.append(f"{len(unread)} could not be read")
    return f"{where}: {', '.join(told)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
