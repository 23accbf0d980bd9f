"""`dispatch install`: the kinds and the controller's rights, applied or printed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import check_url, cluster_options
from reconciler.model.outcome import Reason, Terminal

if TYPE_CHECKING:
    from reconciler.model.change import Resource
    from reconciler.ports import Cluster

_WAIT = 30.0
"""Seconds for the server to serve a new kind; it takes about one."""

_SERVERS = frozenset({"resourceVersion", "generation", "managedFields"})


@click.command()
@cluster_options
@click.option("-n", "--namespace", default="dispatch-system", show_default=True, help="The controller's namespace.")
@click.option("--image", default="", metavar="REF", help="Run the controller from this image; no Deployment without.")
@click.option(
    "--credentials-in",
    multiple=True,
    metavar="NAMESPACE",
    help="Let the controller read Secrets by name here, too (Repositories with credentialsRef). Repeatable.",
)
@click.option(
    "--hooks-url", default="", metavar="URL", help="With --image: where forges reach /hooks/git, for managed webhooks."
)
@click.option("--dry-run", is_flag=True, help="Print the objects; no cluster is needed.")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), help="With --dry-run; yaml when not given.")
def install(
    kubeconfig: Path | None,
    context: str | None,
    namespace: str,
    image: str,
    credentials_in: tuple[str, ...],
    hooks_url: str,
    dry_run: bool,
    output: str | None,
) -> None:
    """Install the custom resources and the controller's rights into a cluster.

    Can be run again at any time: it then brings the objects to this version and reports what changed. What
    Applications may contain is the ClusterRole dispatch-applier; docs/install.md says how to widen it.
    """
    from reconciler.core.installation import Installation, objects

    if output and not dry_run:
        raise click.UsageError("-o says how --dry-run prints: give both, or neither")
    for name in (namespace, *credentials_in):
        _check_namespace(name)
    check_url("--hooks-url", hooks_url)
    wanted = objects(Installation(namespace, image, credentials_in, hooks_url.rstrip("/")))
    if dry_run:
        _print(wanted, output or "yaml")
        return

    from reconciler import app

    cluster = app.connect(app.Settings(kubeconfig, context))
    try:
        apply(cluster, wanted)
    finally:
        cluster.close()


def _check_namespace(name: str) -> None:
    from reconciler.model.resource import DNS_LABEL

    if not DNS_LABEL.check(name) or len(name) > 63:
        raise click.UsageError(f"{name!r} is no name of a namespace: it {DNS_LABEL.words}")


def _print(wanted: list[dict[str, Any]], output: str) -> None:
    from reconciler.cli import writing

    if output == "json":
        click.echo(writing.as_json({"apiVersion": "v1", "kind": "List", "items": wanted}), nl=False)
    else:
        click.echo(writing.as_yaml_stream(wanted), nl=False)


def apply(cluster: Cluster, wanted: list[dict[str, Any]]) -> None:
    """The definitions and the namespace first: the rest is refused without them. At the end nobody can approve in the
    name of somebody else any more.

    Raises Terminal when the server does not serve or enforce what it has taken; SystemExit(1) for refused objects.
    """
    first = [each for each in wanted if each["kind"] in ("CustomResourceDefinition", "Namespace")]
    rest = [each for each in wanted if each not in first]
    for stage in (first, rest):
        _apply_stage(cluster, stage)
        if stage is first:
            _wait_until_served(cluster, [each for each in first if each["kind"] == "CustomResourceDefinition"])
    _wait_until_guarded(cluster, wanted)


def _apply_stage(cluster: Cluster, wanted: list[dict[str, Any]]) -> None:
    from reconciler.model.change import Refusal

    named = [(_resource(cluster, each), each) for each in wanted]
    before = [_read(cluster, resource, each) for resource, each in named]
    answers = cluster.apply(named)
    refused = 0
    for each, old, answer in zip(wanted, before, answers, strict=True):
        if isinstance(answer, Refusal):
            refused += 1
            click.echo(f"error: {_title(each)}: {answer.message}", err=True)
        else:
            click.echo(f"{_title(each)} {_done(old, answer)}")
    if refused:
        click.echo(
            f"{refused} of {len(wanted)} objects were refused. Installing needs the rights of a cluster "
            "administrator; `dispatch install --dry-run` prints the objects for one.",
            err=True,
        )
        raise SystemExit(1)


def _resource(cluster: Cluster, document: Mapping[str, Any]) -> Resource:
    resource = cluster.resource(document["apiVersion"], document["kind"])
    if resource is None:
        raise Terminal(
            Reason.UNKNOWN_KIND, f"the cluster does not serve {document['kind']} of {document['apiVersion']}"
        )
    return resource


def _read(cluster: Cluster, resource: Resource, document: Mapping[str, Any]) -> dict[str, Any] | None:
    metadata = document["metadata"]
    return cluster.read(resource, metadata.get("namespace", ""), metadata["name"])


def _title(document: Mapping[str, Any]) -> str:
    """`serviceaccount/dispatch-controller`, `clusterrole.rbac.authorization.k8s.io/...`: as kubectl names objects."""
    from reconciler.model.identity import identify

    return f"{str(identify(dict(document)).group_kind).lower()}/{document['metadata']['name']}"


def _done(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return "created"
    return "unchanged" if _ours(before) == _ours(after) else "configured"


def _ours(document: Mapping[str, Any]) -> dict[str, Any]:
    """All but what the server's own controllers keep: they write the status of a definition or a policy at any time."""
    metadata = {name: value for name, value in document["metadata"].items() if name not in _SERVERS}
    return {**document, "metadata": metadata, "status": None}


def _wait_until_served(cluster: Cluster, definitions: Iterable[Mapping[str, Any]]) -> None:
    """So that a document of the new kinds can be applied in the next line of a script."""
    end = time.monotonic() + _WAIT
    for definition in definitions:
        resource = _resource(cluster, definition)
        while not _established(_read(cluster, resource, definition)):
            if time.monotonic() > end:
                raise Terminal(
                    Reason.PROGRESSING,
                    f"{_title(definition)} is not served after {_WAIT:g} s: `kubectl describe crd "
                    f"{definition['metadata']['name']}` says why",
                )
            time.sleep(0.05)


def _wait_until_guarded(cluster: Cluster, wanted: Iterable[Mapping[str, Any]]) -> None:
    """Until then whoever may create RolloutActions could do it in any name: a policy is learned of after a moment."""
    from reconciler.core.approving import forged
    from reconciler.model.change import Refusal

    (namespace,) = [each["metadata"]["name"] for each in wanted if each["kind"] == "Namespace"]
    action = forged(namespace)
    resource, end = _resource(cluster, action), time.monotonic() + _WAIT
    while True:
        (answer,) = cluster.apply([(resource, action)], dry_run=True)
        # Any 403 will do: who may not create one at all cannot forge one.
        if isinstance(answer, Refusal) and answer.code == 403:
            return
        if time.monotonic() > end:
            words = f": {answer.message}" if isinstance(answer, Refusal) else ""
            raise Terminal(
                Reason.PROGRESSING,
                f"the policy that holds approvals to their authors is not enforced after {_WAIT:g} s{words}. Give "
                "nobody the role dispatch-approver until it is; Kubernetes 1.30 or later is needed for it",
            )
        time.sleep(0.1)


def _established(definition: Mapping[str, Any] | None) -> bool:
    conditions = ((definition or {}).get("status") or {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
