"""The composition root: the only module that knows every room. It builds the parts and hands them to each other."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.permit import permit_of

if TYPE_CHECKING:
    from reconciler.adapters.forge.tokens import Installations
    from reconciler.adapters.git.source import GitSource
    from reconciler.adapters.kube.cluster import KubeCluster
    from reconciler.adapters.render.documents.builder import Document
    from reconciler.adapters.render.engine import RenderEngine
    from reconciler.engine.controller import Controller
    from reconciler.engine.leader import Leader
    from reconciler.model.image_feed import ImageFeed
    from reconciler.model.repository import Repository
    from reconciler.ports import (
        Cluster,
        CommitStatuses,
        Forecast,
        Forge,
        Gatekeeper,
        GitCredentials,
        Registry,
        Remote,
        RolloutStrategy,
        Tree,
        Webhooks,
    )


def cache_home() -> Path:
    """Where caches live: `$DISPATCH_CACHE`, else `$XDG_CACHE_HOME/dispatch`, else `~/.cache/dispatch`.

    Everything in it can be deleted at any time.
    """
    own = os.environ.get("DISPATCH_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dispatch"


def tool(name: str) -> Path | None:
    """A renderer's binary: from PATH, else the one that `dispatch sandbox` has built; None when there is neither."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    from reconciler.sandbox import tools

    return tools.find(name)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decides. `connections` is the most requests at once to the API server; `render_limits` are
    of the form `time=2m` (`reconciler.adapters.render.limits`).

    `gates_url` is where Argo Rollouts reaches the gates (`http://host:port`; `/gates/...` comes behind it), empty when
    none are answered; `hooks_url` is where forges reach the hooks, empty when nobody has said it. `prometheus` is the
    address for analyses that name none. `cluster_name` tells this cluster from others that keep their memory in the
    same repository. `election` is the namespace of the Lease that lets one of several controllers work; empty: this one
    works without being asked.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str = ""
    workers: int = 8
    connections: int = 8
    allow_file_repositories: bool = False
    allow_remote_bases: bool = False
    render_limits: tuple[str, ...] = ()
    cache: Path | None = None
    gates_url: str = ""
    prometheus: str = ""
    cluster_name: str = "default"
    election: str = ""
    hooks_url: str = ""

    @property
    def cache_folder(self) -> Path:
        return self.cache or cache_home()


def connect(settings: Settings, leader: Leader | None = None) -> KubeCluster:
    """The cluster of a kubeconfig, or of the pod that this runs in. With `leader` it is written to only while that
    leads."""
    from reconciler.adapters.kube import cluster

    return cluster.connect(
        settings.kubeconfig, settings.context, connections=settings.connections, permit=permit_of(leader)
    )


def connect_for_lease(settings: Settings) -> KubeCluster:
    """A connection for the election alone: one that does not wait long, so that there is time for a second try."""
    from reconciler.adapters.kube import client, cluster
    from reconciler.core.leading import Terms

    timeout = max(Terms().deadline / 2 - client.GRACE, 0.0)
    return cluster.connect(settings.kubeconfig, settings.context, connections=1, timeout=timeout)


def open_leader(settings: Settings, cluster: Cluster) -> Leader:
    """The part in the election of a process that runs here. A controller of one namespace is elected for that one, and
    works beside those of others."""
    import socket
    from uuid import uuid4

    from reconciler.adapters.clock import SystemClock
    from reconciler.core.installation import CONTROLLER
    from reconciler.engine.leader import Leader, Place

    name = f"{CONTROLLER}.{settings.namespace}" if settings.namespace else CONTROLLER
    return Leader(cluster, SystemClock(), Place(settings.election, name), f"{socket.gethostname()}_{uuid4()}")


def open_source(settings: Settings, leader: Leader | None = None) -> GitSource:
    """Git. With `leader` it is pushed to only while that leads."""
    from reconciler.adapters.git.source import GitSource

    return GitSource(
        settings.cache_folder / "git",
        allow_file=settings.allow_file_repositories,
        login=_installations().login,
        permit=permit_of(leader),
    )


def open_folder(root: Path) -> Tree:
    """The files of a folder of this machine, as a tree without a commit."""
    from reconciler.adapters.git.folder import FolderTree

    return FolderTree(root)


def read_documents(file: Path) -> list[Document]:
    """The YAML or JSON documents of one file of this machine. Raises Terminal with file and line."""
    from reconciler.adapters.render.documents.pool import Readers
    from reconciler.adapters.render.limits import Limits

    readers = Readers(Limits(), children=1)
    try:
        return [document for _, found in readers.read([(str(file), _bytes(file))]) for document in found]
    finally:
        readers.close()


def _bytes(file: Path) -> bytes:
    from reconciler.model.outcome import Reason, Terminal

    try:
        return file.read_bytes()
    except OSError as error:
        raise Terminal(Reason.PATH_NOT_FOUND, f"cannot read {file}: {error.strerror}") from None


def open_renderer(settings: Settings, kube_version: str = "") -> RenderEngine:
    """`kube_version` is what charts are told of the cluster; Helm's own guess where there is none.

    Raises Terminal(INVALID_SPEC) for a render limit that cannot be read.
    """
    from reconciler.adapters.render import limits
    from reconciler.adapters.render.engine import RenderEngine
    from reconciler.model.outcome import Reason, Terminal

    try:
        bounds = limits.parse(settings.render_limits)
    except ValueError as error:
        raise Terminal(Reason.INVALID_SPEC, f"--render-limit {error}") from None
    return RenderEngine(
        settings.cache_folder / "render",
        tools=tool,
        allow_remote_bases=settings.allow_remote_bases,
        limits=bounds,
        kube_version=kube_version,
    )


@cache
def _installations() -> Installations:
    """The tokens of GitHub Apps, which git and the forges share."""
    from reconciler.adapters.forge.tokens import Installations

    return Installations()


def open_registry(feed: ImageFeed, secret: dict[str, str] | None) -> Registry:
    """The registry of a feed's image. `secret` is the `data` of the Secret that it names. Nothing is asked yet.

    Raises Terminal(CREDENTIALS_NOT_FOUND) for a Secret without use.
    """
    from reconciler.adapters.registry import OciRegistry
    from reconciler.core.registry_login import login_of
    from reconciler.model.image import located
    from reconciler.model.outcome import Reason, Terminal
    from reconciler.ports import RegistryLogin

    reference = feed.spec.credentials_ref
    if reference is None or secret is None:
        return OciRegistry(RegistryLogin(), feed.spec.timeout)
    login = login_of(secret, reference.name, located(feed.spec.image).host)
    try:
        return OciRegistry(login, feed.spec.timeout)
    except ValueError as error:
        raise Terminal(Reason.CREDENTIALS_NOT_FOUND, f"ca.crt of Secret {reference.name!r}: {error}") from None


def rollout_strategies() -> dict[str, RolloutStrategy]:
    """The ways of walking a version out, by Argo Rollouts' names."""
    from strategies.rollout import blue_green, canary

    return {"canary": canary, "blueGreen": blue_green}


def promotion_rules() -> tuple[Gatekeeper, Forecast]:
    """Who judges the gates of promotions, and who says when they can be open."""
    from strategies.gates import judge
    from strategies.gates.earliest import earliest

    return judge, earliest


def build_controller(
    settings: Settings, source: GitSource, renderer: RenderEngine, cluster: Cluster, leader: Leader | None = None
) -> Controller:
    """Once it is told to stop, `source` and `renderer` are of no use to anybody else. With `leader` it is built once
    that leads."""
    from reconciler.adapters.clock import SystemClock
    from reconciler.adapters.forge.opening import Forges
    from reconciler.adapters.notify.opening import open_messenger
    from reconciler.adapters.prometheus import Prometheus
    from reconciler.engine.controller import Controller
    from reconciler.engine.managed_hooks import Hooking
    from reconciler.engine.world import Rolling

    def interrupt() -> None:
        source.close()
        renderer.interrupt()

    # One for the process: connections and answers are used again from one run to the next.
    forges = Forges(_installations(), permit=permit_of(leader))

    def forge(repository: Repository, remote: Remote) -> Forge | None:
        return forges.forge(repository.spec, remote.credentials)

    def statuses(repository: Repository, remote: Remote) -> CommitStatuses | None:
        return forges.statuses(repository.spec, remote.credentials)

    def webhooks(repository: Repository, credentials: GitCredentials) -> Webhooks | None:
        return forges.webhooks(repository.spec, credentials)

    gates = f"{settings.gates_url}/gates" if settings.gates_url else ""
    return Controller(
        source,
        renderer,
        cluster,
        SystemClock(),
        rolling=Rolling(
            rollout_strategies(),
            gates,
            settings.prometheus,
            forge,
            statuses,
            *promotion_rules(),
            Prometheus().measure,
        ),
        messenger=open_messenger,
        registry=open_registry,
        hooking=Hooking(settings.hooks_url, webhooks),
        interrupt=interrupt,
        cluster_name=settings.cluster_name,
        workers=settings.workers,
        namespace=settings.namespace,
        leader=leader,
    )
