"""`dispatch release`: the last step of a pipeline, which has pushed an image."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.duration import Duration
from reconciler.cli.options import cluster_options, namespace_option

if TYPE_CHECKING:
    from reconciler.cli.applications import Document
    from reconciler.model.image import ImageRef
    from reconciler.ports import Cluster

_LOOK = 0.5
"""Seconds between two looks at the status."""
_WRITTEN = ("Current", "Pushed", "Open", "Merged")


@click.command()
@click.argument("name", metavar="APP")
@click.option("--image", required=True, metavar="REF", help="What was pushed: NAME, NAME:TAG or NAME@DIGEST.")
@namespace_option
@click.option("--wait/--no-wait", default=False, show_default=True, help="Wait until it is written into Git, or held.")
@click.option("--timeout", type=Duration(), default="2m", show_default=True, help="How long to wait.")
@cluster_options
def release(
    name: str, image: str, namespace: str, wait: bool, timeout: float, kubeconfig: Path | None, context: str | None
) -> None:
    """Tell the ImageFeeds of an application that an image was pushed: they look at the registry now.

    Exit code 1 when, with --wait, the image is not what was written or proposed, or the time is over.

    \b
    Example:
      dispatch release shop --image registry.example.com/team/shop:1.4.0 -n team-a --wait
    """
    from reconciler import app

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        wanted = _parsed(image)
        feeds = _feeds(cluster, namespace, name, wanted)
        token = datetime.now(UTC).isoformat(timespec="microseconds")
        for feed in feeds:
            _ask(cluster, namespace, feed, token)
            click.echo(f"asked ImageFeed {namespace}/{feed} to look for {wanted.name}")
        if wait:
            deadline = time.monotonic() + timeout
            followed = [_followed(cluster, namespace, feed, token, wanted, deadline) for feed in feeds]
            if not all(followed):
                raise SystemExit(1)


def _parsed(image: str) -> ImageRef:
    from reconciler.model.image import parse_ref

    found = parse_ref(image)
    if found is None:
        raise click.UsageError(f"--image {image} is no image: write NAME, NAME:TAG or NAME@sha256:...")
    return found


def _feeds(cluster: Cluster, namespace: str, name: str, wanted: ImageRef) -> list[str]:
    """The names of the feeds that write this image into what the Application reads. Raises Terminal for none."""
    from reconciler.cli.applications import listing, read
    from reconciler.model.image import same_image
    from reconciler.model.outcome import Reason, Terminal

    source = (read(cluster, "Application", namespace, name).get("spec") or {}).get("source") or {}
    found = listing(cluster, "ImageFeed", namespace)
    of_image = [feed for feed in found if same_image((feed.get("spec") or {}).get("image", ""), wanted.name)]
    writing = [feed["metadata"]["name"] for feed in of_image if _writes_to(feed, source)]
    if writing:
        return writing
    names = ", ".join(feed["metadata"]["name"] for feed in found) or "none"
    raise Terminal(
        Reason.PATH_NOT_FOUND,
        f"no ImageFeed of namespace {namespace} writes {wanted.name} into what {name} reads "
        f"({source.get('repository')}, {source.get('path') or '.'}); there are {names}",
    )


def _writes_to(feed: Document, source: Document) -> bool:
    from reconciler.core.refs import related

    writes = (feed.get("spec") or {}).get("writes") or []
    return any(
        write.get("repository") == source.get("repository")
        and related(write.get("path", "."), source.get("path") or ".")
        for write in writes
    )


def _ask(cluster: Cluster, namespace: str, feed: str, token: str) -> None:
    from reconciler.cli.applications import served
    from reconciler.engine.stages.fetch import SYNC
    from reconciler.model.change import Refusal
    from reconciler.model.outcome import Reason, Terminal

    wish = {"metadata": {"annotations": {SYNC: token}}}
    answer = cluster.patch(served(cluster, "ImageFeed"), namespace, feed, wish)
    if isinstance(answer, Refusal):
        reason = Reason.FORBIDDEN if answer.code == 403 else Reason.OBJECT_REFUSED
        raise Terminal(reason, f"ImageFeed {namespace}/{feed} could not be marked: {answer.message}")


def _followed(cluster: Cluster, namespace: str, feed: str, token: str, wanted: ImageRef, deadline: float) -> bool:
    """Print what was selected and what became of it; whether that is the image that was pushed."""
    from reconciler.cli.applications import condition, read, status

    while True:
        document = read(cluster, "ImageFeed", namespace, feed)
        if status(document, "handledSync") == token:
            break
        if time.monotonic() >= deadline:
            why = condition(document, "Ready").get("message") or "no controller has taken it up"
            click.echo(f"{namespace}/{feed} has not looked in time; last: {why}", err=True)
            return False
        time.sleep(_LOOK)
    if condition(document, "Ready").get("status") != "True":
        click.echo(f"{namespace}/{feed}: {condition(document, 'Ready').get('message')}", err=True)
        return False
    return _told(document, f"{namespace}/{feed}", wanted)


def _told(document: Document, name: str, wanted: ImageRef) -> bool:
    from reconciler.cli.applications import entries, status

    tag, digest = status(document, "selected", "tag"), status(document, "selected", "digest")
    click.echo(f"{name}: selected {tag} {digest}")
    good = True
    for write in entries(document, "writes"):
        click.echo(f"{name}: {write.get('path')}: {write.get('state')}: {write.get('message') or write.get('image')}")
        good = good and write.get("state") in _WRITTEN
    if (wanted.tag and wanted.tag != tag) or (wanted.digest and wanted.digest != digest):
        click.echo(f"{name}: {wanted.tag or wanted.digest} was pushed and is not what the policy wants", err=True)
        return False
    return good
