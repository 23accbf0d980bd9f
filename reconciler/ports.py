"""The outside, as Dispatch needs it: every thing that it touches, in 2 to 8 verbs each.

Adapters implement these; `reconciler.app` chooses them. What an adapter cannot do it raises as one of the three
outcomes of `reconciler.model.outcome`; nothing of the outside's own exceptions passes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from reconciler.model.change import Answer, Event, Resource
from reconciler.model.identity import GroupKind
from reconciler.model.image import ImageName
from reconciler.model.making import Making as Making
from reconciler.model.making import Written as Written
from reconciler.model.notice import Notice
from reconciler.model.promotion import PromotionGate
from reconciler.model.proof import Measured as Measured
from reconciler.model.proof import Proof as Proof
from reconciler.model.proof import Team as Team
from reconciler.model.pull_request import PullRequest as PullRequest
from reconciler.model.pull_request import Review as Review
from reconciler.model.remote import GitCredentials as GitCredentials
from reconciler.model.remote import GitHubApp as GitHubApp
from reconciler.model.remote import RegistryLogin as RegistryLogin
from reconciler.model.remote import Remote as Remote
from reconciler.model.rendered import ReadSet, Rendered
from reconciler.model.rendered import RenderRequest as RenderRequest
from reconciler.model.revision import PastCommit
from reconciler.model.rollout import Asked, Decision, Limits, RolloutSeen, Verdict


class Entry(NamedTuple):
    """One file of a tree. `oid` is the Git id of its content; `mode` is Git's: 0o100644, 0o100755, 0o120000 (link)."""

    path: str
    oid: str
    mode: int
    size: int


Blob = tuple[int, str] | bytes | None
"""A file to be committed: (mode, oid) of a blob that the mirror has, new content (mode 0o100644), or None: no file."""


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

    def message(self, remote: Remote, commit: str) -> str:
        """The whole message of a fetched commit, trailers included."""

    def history(self, remote: Remote, commit: str, since: str, *folders: str) -> Sequence[PastCommit]:
        """The commits up to a fetched one that changed something in one of these folders ("" is the root), the newest
        first, and none that `since` comes from or is, where that is given and known. Of a long history the newest part.
        Raises as `refs`."""

    def commit(self, remote: Remote, parent: str | None, files: Mapping[str, Blob], message: str) -> str:
        """A new commit in the mirror: the tree of `parent` (empty when None) with these files put in, or with None
        taken out. No work tree is used. The same arguments give the same commit: a second try makes no second one.
        It is signed where the remote has a key. Raises Transient(SOURCE_UNREACHABLE) when the mirror has lost the
        parent, Terminal(CREDENTIALS_NOT_FOUND) for a key that does not sign.
        """

    def push(self, remote: Remote, commit: str, ref: str, expected: str | None) -> None:
        """Move a full ref of the remote to `commit`, if it is still at `expected` (None: if it is not there yet).

        A ref that is at `commit` already is done. Raises Transient(CONFLICT) when it has moved, Terminal(SOURCE_DENIED)
        when it may not be written, Transient(SOURCE_UNREACHABLE).
        """


class Forge(Protocol):
    """Pull requests of one repository of a forge (Gitea, GitHub, GitLab). Safe to call from many threads.

    Every method raises Transient(FORGE_UNREACHABLE) when no answer comes or the forge is busy, Terminal(FORGE_DENIED)
    when the token lacks a right. Texts over the forge's limit are cut, with a sentence at their end that says so.
    """

    def find(self, head: str, base: str) -> PullRequest | None:
        """The newest pull request of these branches, open ones first, whatever its state; None when there is none."""

    def open(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open one, or adopt the one that is open already, as it is."""

    def read(self, number: int) -> PullRequest:
        """Raises Terminal(FORGE_DENIED) when there is none of this number."""

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Give it this title and text; nothing is written where it has them."""

    def merge(self, number: int, expected_head: str, message: str) -> PullRequest:
        """Merge if the branch still holds `expected_head`. One that is merged already is done.

        Raises Transient(CONFLICT) when the branch has moved, Blocked(MERGE_BLOCKED) while the forge's own rules forbid
        the merge (approvals, checks, a conflict).
        """

    def close(self, number: int, title: str = "") -> PullRequest:
        """Close it without merging, under this title where one is given; one that is not open is left as it is."""

    def comment(self, number: int, marker: str, text: str) -> None:
        """Dispatch's comment of this `marker` says `text` from now on: written once, changed in place after that, and
        not touched when it says it already. A comment of somebody else that has the marker in it is not ours."""

    def reviews(self, number: int) -> Sequence[Review]:
        """All reviews, the oldest first; of one user there may be many. Raises Transient(FORGE_UNREACHABLE) while the
        forge has yet to work out which of them a new commit made void."""

    def members(self, team: str) -> frozenset[str]:
        """Who is in a team (`organization/team`, at GitLab the full path of a group) now, by the names that reviews
        have. Raises Terminal(FORGE_DENIED) for one that cannot be read, saying which right the token lacks."""


class CommitStatuses(Protocol):
    """What is said of the commits of one repository, on its forge. Raises as `Forge` does."""

    def set(self, commit: str, context: str, state: str, description: str, url: str = "") -> None:
        """`state` is pending, success, failure or error; `description` is cut at 140 characters, `url` may be empty.
        Nothing is written where the newest of this context says the same."""

    def read(self, commit: str) -> Mapping[str, str]:
        """The newest state of each context, in the words of `set`; what the forge's own CI says is among them. A state
        that is not known here counts as `error`."""


class Webhooks(Protocol):
    """The hooks of one repository, on its forge. A hook is ours when it leads where ours does, whatever follows a `?`;
    others are not touched. Raises as `Forge` does; Terminal(FORGE_DENIED) names the right that is missing."""

    def ensure(self, url: str, secret: str, *, renew: bool = False) -> bool:
        """One hook leads to `url`, tells of refs, pull requests, reviews and statuses in JSON, and is signed with
        `secret`: made, changed or left as it is. True when something was written.

        No forge tells a secret: one that has another `url` has another secret, too, and `renew` says that it may have.
        """

    def remove(self, url: str) -> None:
        """No hook leads there any more."""


class Registry(Protocol):
    """Registries of container images (OCI distribution). Safe to call from many threads.

    Every method raises Transient(REGISTRY_UNREACHABLE) when no answer comes or the registry is busy,
    Terminal(REGISTRY_DENIED) when we may not read, Terminal(IMAGE_NOT_FOUND) when there is no such image, and
    Terminal(REGISTRY_STRANGE) for an answer that cannot be true.
    """

    def tags(self, image: ImageName) -> Sequence[str]:
        """All tags, of all pages, in no order."""

    def digest(self, image: ImageName, tag: str) -> str:
        """`sha256:...` of what the tag is now: of the index, where there is one for several platforms."""

    def described(self, image: ImageName, digest: str) -> Mapping[str, str]:
        """The labels and annotations of the image (`org.opencontainers.image.revision`, ...). What is read is held
        against its digest.
        """


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


class Messenger(Protocol):
    """One place where people (or a program) are told things. Used by one thread.

    Every method raises Transient(NOTICE_UNREACHABLE) when no answer comes or the place is busy,
    Terminal(NOTICE_REFUSED) when it does not let us in, Terminal(NOTICE_UNFIT) when it does not take this one notice.
    """

    def post(self, notice: Notice) -> str:
        """Begin a message; its id. A Transient does not say that it was not taken: `find` it before the next try."""

    def find(self, key: str, since: datetime) -> str | None:
        """The id of the message of this `Notice.key` that was begun at or after `since`; None when there is none, or
        when the place cannot be asked."""

    def update(self, id: str, notice: Notice) -> bool:
        """Bring a message up to date, which rings nobody; False when it is not there any more, or closed to edits."""

    def reply(self, id: str, notice: Notice) -> None:
        """Say what is new below a message; what wants somebody to act is shown to the whole place, too."""


class Clock(Protocol):
    """Time, so that decisions can be replayed."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow, for waits."""


class RolloutStrategy(Protocol):
    """One way of walking versions out. Pure: nothing is read, nothing is written, time is passed in."""

    def write(self, params: Any, making: Making) -> Written:
        """`params` is the strategy's section of `spec.strategy`. Raises Terminal(INVALID_SPEC)."""

    def decide(self, seen: RolloutSeen, asked: Sequence[Asked], limits: Limits, now: datetime) -> Decision:
        """What to do about the Rollout now. At most one step is released, only of the version that was seen; an abort
        goes before everything else.
        """


Measure = Callable[[str, str], Measured]
"""(address of a Prometheus, query) -> its numbers now. What goes wrong is in the answer. Safe to call from many
threads."""


Gatekeeper = Callable[[PromotionGate, Proof, datetime], tuple[str, Verdict, str]]
"""(gate, what is known, now) -> which gate, its verdict, the evidence in a sentence. Pure."""

Forecast = Callable[[Sequence[PromotionGate], datetime | None, datetime], datetime | None]
"""(gates, Ready since, now) -> the first moment at which no gate is closed by the time alone; None: cannot be told."""
