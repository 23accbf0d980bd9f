"""`dispatch run`: the controller."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import check_url, cluster_options, render_limit_option

if TYPE_CHECKING:
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
@click.option(
    "--hooks-url",
    default="",
    metavar="URL",
    help="Where forges reach /hooks/git; needed for webhooks that are managed.",
)
@click.option("--prometheus", default="", metavar="URL", help="The Prometheus of analyses that name none.")
@click.option(
    "--cluster-name",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Tells this cluster from others that deploy from the same repositories.",
)
@click.option("--leader-elect", is_flag=True, help="Work only while holding the Lease that all controllers want.")
@click.option(
    "--leader-elect-namespace",
    default="",
    metavar="NAMESPACE",
    help="Where the Lease is, which means --leader-elect; this pod's own namespace if not given.",
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
    hooks_url: str,
    prometheus: str,
    cluster_name: str,
    leader_elect: bool,
    leader_elect_namespace: str,
    log_format: str | None,
    log_level: str,
) -> None:
    """Run the controller until SIGTERM or SIGINT; it then stops within 10 seconds."""
    from reconciler import app
    from reconciler.cli import logs
    from reconciler.cli.serving import serve

    logs.configure(log_format or ("text" if sys.stderr.isatty() else "json"), log_level)
    _check_names({"--gates-url": gates_url, "--hooks-url": hooks_url, "--prometheus": prometheus}, cluster_name)
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
        _election(leader_elect, leader_elect_namespace),
        hooks_url.rstrip("/"),
    )
    serve(settings, gates, _told_to_stop())
    sys.exit(0)


def _told_to_stop() -> threading.Event:
    """Set once SIGTERM or SIGINT has come.

    A handler may interrupt this very thread where it holds the lock of the event; `SimpleQueue.put` is made for that.
    """
    stop = threading.Event()
    told: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait() -> None:
        told.get()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda came, _: told.put(came))
    threading.Thread(target=wait, name="signals", daemon=True).start()
    return stop


def _election(wanted: bool, namespace: str) -> str:
    """Where the Lease is; empty without an election."""
    from reconciler.adapters.kube.kubeconfig import SERVICE_ACCOUNT

    if not wanted or namespace:
        return namespace
    try:
        return (SERVICE_ACCOUNT / "namespace").read_text().strip()
    except OSError:
        raise click.UsageError(
            "--leader-elect needs a Lease, and this is no pod that would have a namespace for it: name one with "
            "--leader-elect-namespace"
        ) from None


def _gatehouse(listen: str) -> Gatehouse | None:
    """Takes the port before anything else is done: a second controller of the machine ends here."""
    if not listen:
        return None
    from reconciler.web.server import Gatehouse

    return Gatehouse(listen)


def _check_names(urls: dict[str, str], cluster_name: str) -> None:
    """Before they are written into the analyses and the refs of other systems."""
    from reconciler.model.resource import DNS_LABEL

    for option, url in urls.items():
        check_url(option, url)
    if not DNS_LABEL.check(cluster_name) or len(cluster_name) > 63:
        raise click.UsageError(f"--cluster-name {cluster_name!r} {DNS_LABEL.words}, and at most 63 characters")
