"""A bare mirror: the commits of one remote that were asked for, and how it is built, filled, doubted and kept small.

Layout, below the cache folder: `<key>.git` is the repository, `<key>.lock` its lock. A commit is there when its ref
`refs/dispatch/commits/<id>` is: git writes that last, after the pack is whole and checked, so whoever is killed before
leaves a mirror without it. There is no work tree, and everything may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.adapters import process
from reconciler.adapters.git import refs as revisions
from reconciler.adapters.git.command import GitProgram
from reconciler.adapters.git.failure import Refused, Unexplained
from reconciler.adapters.git.lock import MirrorLock
from reconciler.adapters.git.objects import Objects
from reconciler.adapters.git.transport import Transport
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

COMMITS = "refs/dispatch/commits"
_DOUBT = "doubted"
# A fetch brings one pack. Reading looks into each, so they are joined before they are many.
_PACKS = 50
# Commits that stay readable, by last use; more than the applications of one repository follow at a time.
_COMMITS_KEPT = 200
_ALL_HISTORY = "--depth=2147483647"


class Mirror:
    """One bare mirror. Safe for many threads and many processes."""

    def __init__(self, git: GitProgram, cache: Path, key: str) -> None:
        self.path = cache / f"{key}.git"
        self.objects = Objects(git, self.path)
        self._git, self._cache, self._key = git, cache, key
        self._lock = MirrorLock(cache / f"{key}.lock")

    def has(self, commit: str) -> bool:
        """Whether the commit can be read; costs two file look-ups."""
        if (self.path / _DOUBT).exists():
            return False
        ref = self.path / COMMITS / commit
        try:
            present = ref.read_text().strip() == commit
            if present:
                # The time is what `_tidy` knows the last use by.
                os.utime(ref)
        except OSError:
            return False
        return present

    def doubt(self) -> None:
        """Have the next fetch build the mirror from nothing, because reading found it damaged."""
        with contextlib.suppress(OSError):
            (self.path / _DOUBT).touch()

    def fetch(self, transport: Transport, commit: str, refs: Mapping[str, str]) -> None:
        """Make the commit readable. Raises as `Source.fetch`."""
        try:
            with self._lock.held(transport.timeout):
                if not self.has(commit):
                    self._fill(transport, commit, refs)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise Transient(Reason.INTERNAL, f"the Git cache cannot be used: {error.strerror}{where}.") from error

    def _fill(self, transport: Transport, commit: str, refs: Mapping[str, str]) -> None:
        fresh = self._prepare(commit)
        try:
            self._download(transport, commit, refs)
        except Unexplained:
            if fresh:
                raise
            self._build(commit)
            self._download(transport, commit, refs)
        self._tidy(transport.timeout)

    def _prepare(self, commit: str) -> bool:
        """A mirror that can be written to; True when it had to be built."""
        for leftover in self._cache.glob(f"{self._key}.tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        config = self.path / "config"
        sound = (self.path / "HEAD").is_file() and config.is_file() and not (self.path / _DOUBT).exists()
        if not sound or ("sha256" in config.read_text(errors="replace")) != (len(commit) == 64):
            self._build(commit)
            return True
        # Under our lock nobody else writes here: these are of a git that was killed.
        stale = [*self.path.glob("*.lock"), *(self.path / COMMITS).glob("*.lock")]
        packs = self.path / "objects" / "pack"
        for file in (*stale, *packs.glob("tmp_*"), *packs.glob("*.keep")):
            file.unlink(missing_ok=True)
        return False

    def _build(self, commit: str) -> None:
        """An empty mirror in place of whatever is there."""
        new, old = (Path(tempfile.mkdtemp(prefix=f"{self._key}.tmp-", dir=self._cache)) for _ in range(2))
        kind = "sha256" if len(commit) == 64 else "sha1"
        arguments = ["init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(new / "git")]
        done = self._git.run(arguments, timeout=60)
        if done.code:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise Transient(Reason.INTERNAL, f"the Git cache cannot be used: {said}.")
        with contextlib.suppress(FileNotFoundError):
            self.path.rename(old / "git")
        (new / "git").rename(self.path)
        shutil.rmtree(old, ignore_errors=True)
        new.rmdir()

    def _download(self, transport: Transport, commit: str, refs: Mapping[str, str]) -> None:
        """By its id first: exact even when the branch moves meanwhile, and only one commit deep. Protocol 2 serves any
        id; an older server, or one without shallow packs, needs all branches and tags."""
        try:
            self._fetch(transport, ["--depth=1"], f"+{commit}:{COMMITS}/{commit}")
            return
        except Refused:
            shallow = (self.path / "shallow").exists()
        self._fetch(
            transport,
            [_ALL_HISTORY] if shallow else [],
            "+refs/heads/*:refs/dispatch/heads/*",
            "+refs/tags/*:refs/dispatch/tags/*",
        )
        arguments = ["update-ref", "--no-deref", f"{COMMITS}/{commit}", commit]
        if self._git.run(arguments, git_dir=self.path, timeout=transport.timeout).code:
            raise self._absent(transport, commit, refs)

    def _fetch(self, transport: Transport, depth: list[str], *refspecs: str) -> None:
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", *depth]
        transport.run(
            ["fetch", *options, "--end-of-options", transport.address.url, *refspecs],
            git_dir=self.path,
            started=self._lock.record,
        )

    def _absent(self, transport: Transport, commit: str, refs: Mapping[str, str]) -> StageError:
        named = [revisions.short(ref) for ref, target in refs.items() if target == commit]
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

    def _tidy(self, timeout: float) -> None:
        """Join the packs and drop commits that were not used for long. A failure changes nothing: the next fetch tries."""
        if len(list((self.path / "objects" / "pack").glob("*.pack"))) <= _PACKS:
            return
        by_use = sorted((self.path / COMMITS).iterdir(), key=lambda ref: ref.stat().st_mtime, reverse=True)
        for ref in by_use[_COMMITS_KEPT:]:
            ref.unlink()
        with contextlib.suppress(process.ProcessError):
            for arguments in (["repack", "-a", "-d", "-q"], ["prune", "--expire=now"]):
                self._git.run(arguments, git_dir=self.path, timeout=timeout, started=self._lock.record)
