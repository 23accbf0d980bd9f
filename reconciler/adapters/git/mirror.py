"""A bare mirror: the commits of one remote that were asked for, and those that were made here to be pushed there.

Layout, below the cache folder: `<key>.git` is the repository, `<key>.lock` its lock. A commit is there when its ref
`refs/dispatch/commits/<id>` is: git writes that last, after the pack is whole and checked, so whoever is killed before
leaves a mirror without it. There is no work tree, and everything may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.adapters.git import bare, committing, history, pushing, signing
from reconciler.adapters.git.command import GitProgram
from reconciler.adapters.git.committing import Draft
from reconciler.adapters.git.failure import Refused, Unexplained
from reconciler.adapters.git.lock import MirrorLock
from reconciler.adapters.git.objects import Lost, Objects
from reconciler.adapters.git.transport import Transport
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.model.revision import PastCommit

_ALL_HISTORY = "--depth=2147483647"
_SHA1, _SHA256 = "0" * 40, "0" * 64


class Mirror:
    """One bare mirror. Safe for many threads and many processes.

    `objects` reads it; `listing` is held by the thread that lists a commit, so that others wait for its result.
    """

    def __init__(self, git: GitProgram, cache: Path, key: str) -> None:
        self.path = cache / f"{key}.git"
        self.objects = Objects(git, self.path)
        self.listing = threading.Lock()
        self._git = git
        self._lock = MirrorLock(cache / f"{key}.lock")

    def has(self, commit: str) -> bool:
        """Whether the commit can be read; costs three system calls."""
        if (self.path / bare.DOUBT).exists():
            return False
        ref = self._ref(commit)
        try:
            present = ref.read_text().strip() == commit
            if present:
                # By this time `bare.tidy` knows the last use.
                os.utime(ref)
        except OSError:
            return False
        return present

    def lost(self, commit: str, why: object) -> Transient:
        """The outcome for an object that cannot be read. The next fetch builds the mirror anew, unless the commit was
        dropped on purpose because it had not been used for long."""
        if self._ref(commit).exists():
            with contextlib.suppress(OSError):
                (self.path / bare.DOUBT).touch()
        return Transient(
            Reason.SOURCE_UNREACHABLE, f"the mirror cannot give commit {commit[:10]} ({why}). It is fetched again."
        )

    def fetch(self, transport: Transport, commit: str, refs: Mapping[str, str]) -> bool:
        """Make the commit readable; False when another had done so meanwhile. Raises as `Source.fetch`."""
        with self._held(transport.timeout):
            if self.has(commit):
                return False
            self._fill(transport, commit, refs)
            return True

    def write(self, draft: Draft, timeout: float, key: str = "") -> str:
        """Make a commit, signed where there is a key, and keep it readable. Raises as `Source.commit`."""

        def signed(commit: str) -> str:
            return signing.sign(self._git, self.path, draft, commit, key, self._lock.record) if key else commit

        with self._held(timeout):
            bare.sweep(self.path)
            if draft.parent is not None:
                self.require(draft.parent)
            elif not (bare.is_sound(self.path, _SHA1) or bare.is_sound(self.path, _SHA256)):
                bare.replace(self.path, bare.create(self._git, self.path, _SHA1))
            try:
                return committing.make(self._git, self.path, draft, self._lock.record, signed)
            except Lost as error:
                raise self.lost(draft.parent or "of its own", error) from error

    def push(self, transport: Transport, commit: str, ref: str, expected: str | None) -> None:
        """Move a ref of the remote to a commit that is here. Raises as `Source.push`."""
        with self._held(transport.timeout):
            self.require(commit)
            pushing.push(transport, self.path, commit, ref, expected, self._lock.record)

    def history(self, transport: Transport, commit: str, since: str, folders: Sequence[str]) -> tuple[PastCommit, ...]:
        """What changed one of the folders up to a commit that is here. Raises as `Source.history`."""
        with self._held(transport.timeout):
            self.require(commit)
            try:
                return history.read(self._git, self.path, commit, since, folders, transport, self._lock.record)
            except Lost as error:
                raise self.lost(commit, error) from error

    def require(self, commit: str) -> None:
        """Raises Transient(SOURCE_UNREACHABLE) when the commit is not here."""
        if not self.has(commit):
            raise Transient(
                Reason.SOURCE_UNREACHABLE, f"commit {commit[:10]} is not in the mirror any more. It is fetched again."
            )

    @contextlib.contextmanager
    def _held(self, timeout: float) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._lock.held(timeout):
                yield
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise Transient(Reason.INTERNAL, f"the Git cache cannot be used: {error.strerror}{where}.") from error

    def _ref(self, commit: str) -> Path:
        return self.path / bare.COMMITS / commit

    def _fill(self, transport: Transport, commit: str, refs: Mapping[str, str]) -> None:
        bare.sweep(self.path)
        if bare.is_sound(self.path, commit):
            with contextlib.suppress(Unexplained):
                self._download(self.path, transport, commit, refs)
                bare.tidy(self._git, self.path, self._lock.record)
                return
        # The old mirror stays until a new one is whole: if the fault was the remote's, nothing is lost.
        new = bare.create(self._git, self.path, commit)
        try:
            self._download(new, transport, commit, refs)
            bare.replace(self.path, new)
        finally:
            bare.discard(new.parent)

    def _download(self, path: Path, transport: Transport, commit: str, refs: Mapping[str, str]) -> None:
        """By its id first: exact even when the branch moves meanwhile, and only one commit deep. Protocol 2 serves any
        id; an older server, or one without shallow packs, needs all branches and tags."""
        try:
            self._fetch(path, transport, ["--depth=1"], f"+{commit}:{bare.COMMITS}/{commit}")
            return
        except Refused:
            shallow = (path / "shallow").exists()
        self._fetch(
            path,
            transport,
            [_ALL_HISTORY] if shallow else [],
            "+refs/heads/*:refs/dispatch/heads/*",
            "+refs/tags/*:refs/dispatch/tags/*",
        )
        if self._git.local(["update-ref", "--no-deref", f"{bare.COMMITS}/{commit}", commit], path).code:
            raise _absent(transport, commit, refs)

    def _fetch(self, path: Path, transport: Transport, depth: list[str], *refspecs: str) -> None:
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", *depth]
        arguments = ["fetch", *options, "--end-of-options", transport.address.url, *refspecs]
        transport.run(arguments, git_dir=path, started=self._lock.record)


def _absent(transport: Transport, commit: str, refs: Mapping[str, str]) -> StageError:
    named = [ref.removeprefix("refs/heads/") for ref, target in refs.items() if target == commit]
    if named:
        return Transient(
            Reason.SOURCE_UNREACHABLE,
            f"{transport.address.shown}: {named[0]} moved away from {commit} while it was read. It is tried again.",
        )
    return Terminal(
        Reason.REF_NOT_FOUND,
        f"{transport.address.shown} has no commit {commit}: no branch or tag leads to it, and the host does not hand "
        "it out by its id. Was it force-pushed away, or not pushed yet?",
    )
