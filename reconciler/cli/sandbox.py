"""`dispatch sandbox`: a Kubernetes to try things on, without Docker."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from reconciler.sandbox.parts import Part
    from reconciler.sandbox.platform import Sandbox

_ON_DEMAND = ("gitea", "rollouts", "prometheus", "registry")


def name_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--name", default="default", show_default=True, help="Which one: several run side by side, each by its name."
    )(command)


@contextmanager
def _plain_errors() -> Iterator[None]:
    from reconciler.sandbox.errors import SandboxError

    try:
        yield
    except SandboxError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        click.echo("interrupted: what was being started is stopped", err=True)
        raise SystemExit(130) from None


@click.group()
def sandbox() -> None:
    """A Kubernetes to try things on, without Docker.

    A real API server with its controllers and scheduler; kwok plays the nodes, so pods are objects that live and die
    but run nothing. A pod with the annotation dispatch.dev/sandbox-pod: crash, no-image, unready or slow shows trouble.
    """


@sandbox.command()
@name_option
@click.option("--with", "extras", multiple=True, metavar="PART[,PART]", help=f"Also start: {', '.join(_ON_DEMAND)}.")
@click.option("--bare", is_flag=True, help="Only the API server (and what --with names): no controllers, no nodes.")
@click.option("--port", type=click.IntRange(1, 65535), help="The API server's port; a free one when not given.")
@click.option("--gitea-port", type=click.IntRange(1, 65535), help="Gitea's port; a free one when not given.")
@click.option("--foreground", is_flag=True, help="Stay, and stop the sandbox at the end (Ctrl-C).")
def up(
    name: str, extras: tuple[str, ...], bare: bool, port: int | None, gitea_port: int | None, foreground: bool
) -> None:
    """Start a sandbox; the first time, its parts are built from source, which takes about 20 minutes."""
    from reconciler.sandbox import named
    from reconciler.sandbox.parts import Part
    from reconciler.sandbox.progress import ProgressPrinter

    parts = {Part.APISERVER, *(() if bare else named.DEFAULT_PARTS), *_parsed(extras)}
    ports = {part: chosen for part, chosen in ((Part.APISERVER, port), (Part.GITEA, gitea_port)) if chosen}
    began = time.monotonic()
    if foreground:
        # A service manager ends us with SIGTERM, and the sandbox must not be cut off in the middle of its start.
        signal.signal(signal.SIGTERM, _interrupt)
    with _plain_errors():
        with ProgressPrinter() as progress:
            done = named.up(name, parts, progress, ports, detach=not foreground)
            if not bare:
                _renderers(progress)
        click.echo(_welcome(name, done.sandbox, bool(done.started), time.monotonic() - began))
        if foreground:
            _stay(name, done.sandbox)


def _renderers(progress: Callable[[str], None]) -> None:
    """Build what `dispatch render` and the controller need and this machine has not: a cluster alone shows nothing."""
    from reconciler import app
    from reconciler.sandbox import tools

    tools.ensure([name for name in ("kustomize", "helm") if app.tool(name) is None], progress)


@sandbox.command()
@name_option
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def status(name: str, output: str) -> None:
    """Show each part. Exit code 0: all of it runs; 1: it does not, or not all of it."""
    from dataclasses import asdict

    from reconciler.cli import writing
    from reconciler.sandbox import named

    with _plain_errors():
        running = named.find(name)
        parts = running.status() if running else []
    if output == "json":
        urls = running.urls if running else {}
        document = {"name": name, "running": bool(running), "urls": urls, "parts": [asdict(part) for part in parts]}
        click.echo(writing.as_json(document), nl=False)
    elif running:
        click.echo(_parts_table([asdict(part) for part in parts]))
    else:
        click.echo(f"the sandbox {name} is not running; `dispatch sandbox up` starts it")
    sys.exit(0 if running and all(part.state == "running" for part in parts) else 1)


@sandbox.command()
@name_option
def env(name: str) -> None:
    """Print what a shell needs: eval "$(dispatch sandbox env)"."""
    from reconciler.sandbox import named

    with _plain_errors():
        running = named.find(name)
        if running is None:
            click.echo(f"error: the sandbox {name} is not running; `dispatch sandbox up` starts it", err=True)
            raise SystemExit(2)
        for variable, value in _environment(running).items():
            click.echo(f"export {variable}={shlex.quote(value)}")


@sandbox.command()
@name_option
@click.option("--all", "every", is_flag=True, help="Every sandbox of this user.")
def down(name: str, every: bool) -> None:
    """Stop a sandbox and remove all that it left. Doing it twice is fine."""
    from reconciler.sandbox import named
    from reconciler.sandbox.progress import ProgressPrinter

    with _plain_errors(), ProgressPrinter() as progress:
        for each in named.names() if every else [name]:
            stopped = named.down(each, progress)
            click.echo(f"the sandbox {each} is stopped and removed" if stopped else f"there is no sandbox {each}")


def _parsed(extras: tuple[str, ...]) -> list[Part]:
    from reconciler.sandbox.parts import Part

    wanted = [word.strip() for extra in extras for word in extra.split(",") if word.strip()]
    for word in wanted:
        if word not in list(Part):
            raise click.BadParameter(f"{word!r} is no part; there are {', '.join(_ON_DEMAND)}", param_hint="--with")
    return [Part(word) for word in wanted]


def _welcome(name: str, running: Sandbox, started: bool, seconds: float) -> str:
    chosen = "" if name == "default" else f" --name {name}"
    lines = [f"the sandbox {name} is ready ({seconds:.1f} s)" if started else f"the sandbox {name} is running already"]
    lines += [f"  {title:<12}{url}" for title, url in running.urls.items()]
    lines += ["", f'use it:   eval "$(dispatch sandbox env{chosen})"', f"stop it:  dispatch sandbox down{chosen}"]
    return "\n".join(lines)


def _environment(running: Sandbox) -> dict[str, str]:
    urls = running.urls
    found = {"KUBECONFIG": str(running.kubeconfig)} if "kubernetes" in urls else {}
    if "gitea" in urls:
        found |= {
            "GITEA_URL": urls["gitea"],
            "GITEA_USER": running.gitea.username,
            # A file and no value: what is exported is seen by every program that the shell starts.
            "GITEA_ACCESS_FILE": str(running.home.gitea_access),
        }
    if "prometheus" in urls:
        found |= {"PROMETHEUS_URL": urls["prometheus"], "PROMETHEUS_TARGETS": str(running.home.prometheus_targets)}
    if "registry" in urls:
        found["REGISTRY_URL"] = urls["registry"]
    return found


def _parts_table(parts: list[dict[str, Any]]) -> str:
    from datetime import UTC, datetime

    from reconciler.cli.age import age
    from reconciler.cli.table import table

    now = datetime.now(UTC)
    rows = [
        [
            part["part"],
            part["state"],
            str(part["pid"]),
            str(part["port"] or ""),
            f"{part['memory'] >> 20} MiB",
            age(part["since"], now),
        ]
        for part in parts
    ]
    return table(["PART", "STATE", "PID", "PORT", "MEMORY", "AGE"], rows)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _stay(name: str, running: Sandbox) -> None:
    from reconciler.sandbox import named

    click.echo("staying in the foreground; Ctrl-C stops it", err=True)
    try:
        running.wait()
    finally:
        running.stop()
        named.down(name, lambda line: click.echo(line, err=True))
