"""The files of one commit of a mirror."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from reconciler.adapters.git import writing
from reconciler.adapters.git.listing import LINK, SUBMODULE, Listing
from reconciler.adapters.git.mirror import Mirror
from reconciler.adapters.git.objects import Lost
from reconciler.ports import Entry


class GitTree:
    """Implements `Tree`. A submodule is an entry of mode 0o160000 whose id is a commit; a link's content is its target.

    Large File Storage is not asked: the pointer file is the content.
    """

    def __init__(self, mirror: Mirror, commit: str, listing: Listing) -> None:
        self.commit = commit
        self._mirror, self._listing = mirror, listing

    def oid(self, path: str) -> str | None:
        return self._listing.oid(writing.key(path))

    def files(self, path: str = "") -> Sequence[Entry]:
        return self._listing.files(writing.key(path))

    def read(self, path: str, limit: int) -> bytes:
        entry = self._file(path)
        if entry.size > limit:
            raise writing.too_large(entry.path, entry.size, limit)
        if entry.mode == SUBMODULE:
            raise writing.no_file(path, True, self._where)
        try:
            return self._mirror.objects.read(entry.oid)
        except Lost as error:
            raise self._mirror.lost(self.commit, error) from error

    def export(self, paths: Collection[str], into: Path) -> None:
        # Not `git archive`: it would let attributes of the commit change and leave out files (export-subst).
        entries = [self._file(path) for path in sorted(paths)]
        for entry in entries:
            target = os.fsdecode(self._target(entry)) if entry.mode == LINK else entry.oid
            if refusal := writing.refuse(entry, target):
                raise refusal
        waiting, writer = iter(entries), writing.Writer(into)
        try:
            self._mirror.objects.each(
                [entry.oid for entry in entries], lambda _, data: writer.write(next(waiting), data)
            )
        except Lost as error:
            raise self._mirror.lost(self.commit, error) from error

    @property
    def _where(self) -> str:
        return f"in commit {self.commit[:10]}"

    def _file(self, path: str) -> Entry:
        name = writing.key(path)
        entry = self._listing.entry(name)
        if entry is None:
            raise writing.no_file(path, self._listing.is_tree(name), self._where)
        return entry

    def _target(self, entry: Entry) -> bytes:
        return self.read(entry.path, limit=4096)
