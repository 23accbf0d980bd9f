"""`dispatch run`: the controller."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import cluster_options, render_limit_option

if TYPE_CHECKING:
    from reconciler.adapters.kube import KubeCluster


@click.command()
@cluster_options
@click.option("--namespace", default="", help="Watch only this namespace for Applications and Repositories.")
@click.option("--workers", default=8, show_default=True, help="Applications reconciled at the same time.")
@click.option("--connections", default=8, show_default=True, help="Requests at once to the API server.")
@click.option("--allow-file-repositories", is_flag=True, help="Let Repositories name file:// URLs of this machine.")
@click.option("--allow-remote-bases", is_flag=True, help="Let kustomizations name bases on other hosts.")
@render_limit_option
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Where mirrors and renders are kept.")
@click.option("--log-format", type=click.Choice(["json", "text"]), help="text on a terminal, json elsewhere.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning"]), default="info", show_default=True)
def run(
    kubeconfig: Path | None,
    context: str | None,
    namespace: str,
    workers: int,
    connections: int,
    allow_file_repositories: bool,
    allow_remote_bases: bool,
    render_limits: tuple[str, ...],
    cache: Path | None,
    log_format: str | None,
    log_level: str,
) -> None:
    """Run the controller until SIGTERM or SIGINT; it then stops within 10 seconds."""
    from reconciler import app
    from reconciler.cli import logs
    from reconciler.model.outcome import StageError

    logs.configure(log_format or ("text" if sys.stderr.isatty() else "json"), log_level)
    settings = app.Settings(
        kubeconfig,
        context,
        namespace,
        workers,
        connections,
        allow_file_repositories,
        allow_remote_bases,
        render_limits,
        cache,
    )
    stop = threading.Event()
    failures: list[StageError] = []

    def failed(error: StageError) -> None:
        failures.append(error)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cluster = app.connect(settings)
    version = _version(cluster, stop)
    if version is None:
        cluster.close()
        return
    source = app.open_source(settings)
    renderer = app.open_renderer(settings, version)
    controller = app.build_controller(settings, source, renderer, cluster)
    controller.start(failed)
    stop.wait()
    clean = controller.stop(within=8.0)
    for part in (renderer, source, cluster):
        part.close()
    if failures:
        raise failures[0]
    sys.exit(0 if clean else 1)


def _version(cluster: KubeCluster, stop: threading.Event) -> str | None:
    """The server's version, which charts ask for; a server that is not up yet is waited for. None when told to stop."""
    from reconciler.model.outcome import Transient

    while not stop.is_set():
        try:
            return cluster.version()
        except Transient as error:
            logging.getLogger(__name__).warning("waiting for the API server", extra={"why": error.message})
            stop.wait(2.0)
    return None
