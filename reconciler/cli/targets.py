"""What `dispatch diff` compares with a cluster: a folder, an Application in a file, or one that is in the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import applications, rendering
from reconciler.model.outcome import Reason, Terminal

if TYPE_CHECKING:
    from reconciler.adapters.kube import KubeCluster
    from reconciler.app import Settings
    from reconciler.model.application import Application, ApplicationStatus
    from reconciler.model.identity import GroupKind
    from reconciler.model.rendered import Rendered
    from reconciler.model.repository import Repository
    from reconciler.ports import Cluster, GitCredentials


@dataclass(frozen=True, slots=True)
class Target:
    """`namespace` is for objects that name none. `contained` are the kinds that the Application's set may hold in the
    cluster, `status` what its controller says of it; empty where there is no such Application. `commit` brought what
    is rendered; empty for files."""

    rendered: Rendered
    namespace: str
    application: Application | None = None
    contained: frozenset[GroupKind] = frozenset()
    status: ApplicationStatus | None = None
    commit: str = ""


def of_local(cluster: KubeCluster, local: rendering.Local, namespace: str, settings: Settings) -> Target:
    """What the files of this machine want; for an Application with what the cluster knows of its namesake."""
    rendered = rendering.rendered(local, settings, cluster.version())
    application = local.application
    if application is None:
        return Target(rendered, namespace)
    document = _namesake(cluster, application)
    if document is None:
        return Target(rendered, application.namespace, application)
    known: Application = _load(document)
    return Target(rendered, application.namespace, application, _kinds(document), known.status)


def of_cluster(cluster: KubeCluster, namespace: str, name: str, settings: Settings) -> Target:
    """What Git wants of an Application of the cluster now. Raises Terminal, Transient."""
    from reconciler import app
    from reconciler.core.refs import resolve
    from reconciler.engine.stages.fetch import wanted_ref
    from reconciler.engine.stages.render import request
    from reconciler.ports import Remote

    document = applications.read(cluster, "Application", namespace, name)
    application: Application = _load(document)
    repository: Repository = _load(
        applications.read(cluster, "Repository", namespace, application.spec.source.repository)
    )
    remote = Remote(repository.spec.url, _credentials(cluster, repository), repository.spec.timeout)
    source, renderer = app.open_source(settings), app.open_renderer(settings, cluster.version())
    try:
        refs = source.refs(remote)
        revision = resolve(wanted_ref(application, repository.spec.branch), refs, repository.spec.url)
        source.fetch(remote, revision.commit, refs)
        rendered = renderer.render(source.tree(remote, revision.commit), request(application))
    finally:
        renderer.close()
        source.close()
    click.echo(f"comparing with {revision}", err=True)
    kinds = _kinds(document)
    return Target(rendered, application.namespace, application, kinds, application.status, revision.commit)


def _load(document: Mapping[str, Any]) -> Any:
    from reconciler.model.document import load
    from reconciler.model.manifest import Origin

    metadata = document["metadata"]
    return load(dict(document), Origin(f"{document['kind']} {metadata.get('namespace', '')}/{metadata['name']}"))


def _credentials(cluster: Cluster, repository: Repository) -> GitCredentials | None:
    """From the Secret, where we may read it; without it the remote may still let everybody in."""
    from reconciler.engine.repositories import credentials_of

    reference = repository.spec.credentials_ref
    if reference is None:
        return None
    resource = cluster.resource("v1", "Secret")
    why = "it is not there"
    try:
        secret = cluster.read(resource, repository.metadata.namespace, reference.name) if resource else None
    except Terminal as error:
        if error.reason is not Reason.FORBIDDEN:
            raise
        secret, why = None, "you may not read it"
    if secret is None:
        click.echo(f"the Secret {reference.name} is not used: {why}; the remote is asked without credentials", err=True)
        return None
    return credentials_of(secret.get("data") or {}, reference.name, repository.spec)


def _namesake(cluster: Cluster, application: Application) -> dict[str, Any] | None:
    """The Application of the cluster that has the name."""
    from reconciler.model.resource import API_VERSION

    resource = cluster.resource(API_VERSION, "Application")
    if resource is None:
        return None
    try:
        return cluster.read(resource, application.metadata.namespace, application.metadata.name)
    except Terminal as error:
        if error.reason is not Reason.FORBIDDEN:
            raise
        click.echo(f"deletions are not shown: {error.message}", err=True)
        return None


def _kinds(document: Mapping[str, Any]) -> frozenset[GroupKind]:
    from reconciler.core.applyset import contained_kinds

    return contained_kinds(document["metadata"].get("annotations") or {})
