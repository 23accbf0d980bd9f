"""The outside, as Dispatch needs it: every thing that it touches, in 2 to 8 verbs each.

Adapters implement these; `reconciler.app` chooses them. What an adapter cannot do it raises as one of the three
outcomes of `reconciler.model.outcome`; nothing of the outside's own exceptions passes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from reconciler.model.change import Answer, Event, Resource
from reconciler.model.identity import GroupKind
from reconciler.model.render import Render
from reconciler.model.rendered import ReadSet, Rendered


class Entry(NamedTuple):
    """One file of a tree. `oid` is the Git id of its content; `mode` is Git's: 0o100644, 0o100755, 0o120000 (link)."""

    path: str
    oid: str
    mode: int
    size: int


class Tree(Protocol):
    """The files of one commit, read-only. Paths are posix, without a leading slash; "" is the root."""

    commit: str

    def oid(self, path: str) -> str | None:
        """The id of the blob or tree at `path`, None where nothing is."""

    def files(self, path: str = "") -> Sequence[Entry]:
        """All files at or below `path`, sorted by path; empty where nothing is. A symlink is an entry, not followed."""

    def read(self, path: str, limit: int) -> bytes:
        """The content of a file. Raises Terminal(RENDER_LIMIT) over `limit` bytes, PATH_NOT_FOUND where no file is."""

    def export(self, paths: Collection[str], into: Path) -> None:
        """Write the named files (not folders) below `into`, keeping their paths. Symlinks are refused (Terminal)."""


class GitCredentials(NamedTuple):
    """What a Secret gave. Either `password` (with or without `username`) or `ssh_key` with `known_hosts`."""

    username: str = ""
    password: str = ""
    ssh_key: str = ""
    known_hosts: str = ""
    ca: str = ""

    def __repr__(self) -> str:
        """Which are given, never what they are: a value that is printed by mistake must not tell a secret."""
        given = [name for name, value in self._asdict().items() if value]
        return f"GitCredentials({', '.join(f'{name}=***' for name in given)})"


class Remote(NamedTuple):
    """A repository to read."""

    url: str
    credentials: GitCredentials | None
    timeout: float


class Source(Protocol):
    """Git. One bare mirror a URL; safe to call from many threads."""

    def refs(self, remote: Remote) -> Mapping[str, str]:
        """One ls-remote: full ref -> commit (tags peeled), with `HEAD`. Raises Transient(SOURCE_UNREACHABLE),
        Terminal(SOURCE_DENIED)."""

    def fetch(self, remote: Remote, commit: str, refs: Mapping[str, str]) -> None:
        """Make `commit` readable by `tree`; no network when it already is. Raises as `refs`, and REF_NOT_FOUND."""

    def tree(self, remote: Remote, commit: str) -> Tree:
        """The files of a fetched commit. Raises Transient(SOURCE_UNREACHABLE) when the mirror has lost it."""

    def subject(self, remote: Remote, commit: str) -> str:
        """`author: first line` of a fetched commit, for people; at most 120 characters."""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What to render: a folder of a tree by a renderer. `name` and `namespace` are Helm's release."""

    path: str
    render: Render
    name: str
    namespace: str


class Renderer(Protocol):
    """Folders to objects. Safe to call from many threads."""

    def read_set(self, tree: Tree, request: RenderRequest) -> ReadSet:
        """Which files the render reads, without rendering. Raises Terminal(PATH_NOT_FOUND, RENDER_FAILED, ...)."""

    def render(self, tree: Tree, request: RenderRequest) -> Rendered:
        """The objects; from the cache when the read set, the request and the tool are those of an earlier render.

        Raises Terminal with the tool's own message, the file and the line; Transient(TOOL_MISSING).
        """


class Cluster(Protocol):
    """One Kubernetes API server. Safe to call from many threads; at most `connections` requests at once.

    Every method raises Transient(CLUSTER_UNREACHABLE) when no answer comes; 429 and 5xx are tried again inside.
    """

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """How the kind is served, None when it is not. Discovery is cached; an unknown kind is asked again."""

    def preferred(self, kind: GroupKind) -> Resource | None:
        """The kind at the version that the server prefers, None when it is not served."""

    def read(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        """The live object, None when there is none. Raises Terminal(FORBIDDEN)."""

    def listing(self, resource: Resource, namespace: str = "", selector: str = "") -> Iterator[dict[str, Any]]:
        """All objects of a kind, paged; of all namespaces when `namespace` is empty."""

    def apply(
        self, objects: Sequence[tuple[Resource, Mapping[str, Any]]], *, dry_run: bool = False, force: bool = True
    ) -> list[Answer]:
        """Server-side apply as manager `dispatch` with fieldValidation=Strict, concurrently; an answer for each, in
        order. A refusal of one does not stop the others."""

    def delete(self, targets: Sequence[tuple[Resource, str, str, str]]) -> list[Answer]:
        """Delete (resource, namespace, name, uid) with the uid as precondition, in the background (KEP of
        propagation); an object that is already gone is an answer `{}`."""

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        subresource: str = "",
    ) -> Answer:
        """Patch one object or its `status`: a map is a merge patch (RFC 7386), a list is a JSON Patch (RFC 6902)."""

    def create(self, resource: Resource, namespace: str, document: Mapping[str, Any]) -> Answer:
        """Create one object (Kubernetes events are the use)."""

    def follow(
        self, resource: Resource, *, selector: str = "", namespace: str = "", stop: Callable[[], bool]
    ) -> Iterator[Event]:
        """List (LISTING, ADDED ..., LISTED), then watch, for ever: reconnects, relists after 410 Gone, and ends when
        `stop()` is true.

        While the server cannot be reached the iterator waits and tries again; it raises only Terminal(FORBIDDEN).
        """


class Clock(Protocol):
    """Time, so that decisions can be replayed."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow, for waits."""
