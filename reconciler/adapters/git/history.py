"""The commits of folders, the newest first, from a mirror that is made as deep as that needs.

A mirror holds single commits, without what came before them. Where somebody asks, some of that is fetched: enough for
what people read, and no more.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from reconciler.adapters.git import bare
from reconciler.adapters.git.command import GitProgram
from reconciler.adapters.git.commit import short
from reconciler.adapters.git.failure import Refused
from reconciler.adapters.git.objects import Lost
from reconciler.adapters.git.transport import Transport
from reconciler.model.revision import PastCommit

DEPTH = 200
"""Commits of a branch that are looked through."""
_FORMAT = "%H%x00%an%x00%B%x00"


def read(
    git: GitProgram,
    path: Path,
    commit: str,
    since: str,
    folders: Sequence[str],
    transport: Transport,
    lock: Callable[[int], None],
) -> tuple[PastCommit, ...]:
    """The caller holds the lock of the mirror at `path`, which has `commit`. Raises Lost, and as `Transport.run`."""
    known = since if since and not git.local(["cat-file", "-e", f"{since}^{{commit}}"], path).code else ""
    reach = [commit, *([f"^{known}"] if known else [])]
    if _cut(git, path, reach):
        ref = f"+{commit}:{bare.COMMITS}/{commit}"
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", f"--depth={DEPTH}"]
        # A host that hands out no commit by its id was asked for all of its history before.
        with contextlib.suppress(Refused):
            transport.run(
                ["fetch", *options, "--end-of-options", transport.address.url, ref], git_dir=path, started=lock
            )
    # The first commit of what was fetched seems to bring all files: it is not known what it changed.
    first = _first(path)
    arguments = [
        "log",
        f"--max-count={DEPTH}",
        f"--format={_FORMAT}",
        "-z",
        *reach,
        "--",
        *(folders if all(folders) else []),
    ]
    done = git.local(["--literal-pathspecs", *arguments], path)
    if done.code:
        raise Lost(done.stderr.decode("utf-8", "replace").strip()[:300])
    return tuple(change for change in _parsed(done.stdout) if change.commit not in first)


def _cut(git: GitProgram, path: Path, reach: list[str]) -> bool:
    """Whether the mirror ends before the history does, and before enough of it."""
    done = git.local(["rev-list", f"--max-count={DEPTH}", *reach], path)
    found = done.stdout.decode().split()
    return bool(done.code) or (len(found) < DEPTH and not _first(path).isdisjoint(found))


def _first(path: Path) -> set[str]:
    try:
        return set((path / "shallow").read_text().split())
    except OSError:
        return set()


def _parsed(said: bytes) -> Iterator[PastCommit]:
    fields = os.fsdecode(said).encode("utf-8", "surrogateescape").decode("utf-8", "replace").split("\0")
    for commit, author, message in zip(fields[::4], fields[1::4], fields[2::4], strict=False):
        yield PastCommit(commit, short(author), short(message.strip().partition("\n")[0]), message)
