"""`dispatch run`: the controller."""

from __future__ import annotations

import logging
import re
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import cluster_options, render_limit_option

if TYPE_CHECKING:
    from reconciler.adapters.kube import KubeCluster
    from reconciler.web.server import Gatehouse


@click.command()
@cluster_options
@click.option("--namespace", default="", help="Watch only this namespace for Applications and Repositories.")
@click.option("--workers", default=8, show_default=True, help="Applications reconciled at the same time.")
@click.option("--connections", default=8, show_default=True, help="Requests at once to the API server.")
@click.option("--allow-file-repositories", is_flag=True, help="Let Repositories name file:// URLs of this machine.")
@click.option("--allow-remote-bases", is_flag=True, help="Let kustomizations name bases on other hosts.")
@render_limit_option
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Where mirrors and renders are kept.")
@click.option(
    "--listen",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the gates of Argo Rollouts and /healthz are answered; '' for nowhere.",
)
@click.option(
    "--gates-url", default="", metavar="URL", help="Where Argo Rollouts reaches them; http://HOST:PORT if not given."
)
@click.option("--prometheus", default="", metavar="URL", help="The Prometheus of analyses that name none.")
@click.option(
    "--cluster-name",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Tells this cluster from others that deploy from the same repositories.",
)
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
    listen: str,
    gates_url: str,
    prometheus: str,
    cluster_name: str,
    log_format: str | None,
    log_level: str,
) -> None:
    """Run the controller until SIGTERM or SIGINT; it then stops within 10 seconds."""
    from reconciler import app
    from reconciler.cli import logs
    from reconciler.model.outcome import StageError

    logs.configure(log_format or ("text" if sys.stderr.isatty() else "json"), log_level)
    _check_names(gates_url, prometheus, cluster_name)
    gates = _gatehouse(listen)
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
        gates_url.rstrip("/") or (gates.url if gates else ""),
        prometheus.rstrip("/"),
        cluster_name,
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
        if gates:
            gates.stop()
        return
    source = app.open_source(settings)
    renderer = app.open_renderer(settings, version)
    controller = app.build_controller(settings, source, renderer, cluster)
    controller.start(failed)
    if gates:
        gates.start(controller.gate, controller.ready, controller.hook)
    stop.wait()
    if not controller.stop(within=7.0):
        logging.getLogger(__name__).warning("stopped in the middle of a run; the next start takes it up again")
    # Last, so that a gate is answered as long as there is somebody who knows the answer.
    if gates:
        gates.stop()
    for part in (renderer, source, cluster):
        part.close()
    if failures:
        raise failures[0]
    sys.exit(0)


def _gatehouse(listen: str) -> Gatehouse | None:
    """Takes the port before anything else is done: a second controller of the machine ends here."""
    if not listen:
        return None
    from reconciler.web.server import Gatehouse

    return Gatehouse(listen)


def _check_names(gates_url: str, prometheus: str, cluster_name: str) -> None:
    """Before they are written into the analyses and the refs of other systems."""
    from reconciler.model.resource import DNS_LABEL

    for option, url in (("--gates-url", gates_url), ("--prometheus", prometheus)):
        if url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
            raise click.UsageError(f"{option} {url} is no address: write http://HOST:PORT")
    if not DNS_LABEL.check(cluster_name) or len(cluster_name) > 63:
        raise click.UsageError(f"--cluster-name {cluster_name!r} {DNS_LABEL.words}, and at most 63 characters")


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
