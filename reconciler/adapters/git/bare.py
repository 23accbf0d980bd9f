"""A bare repository as a thing on disk: made, looked over, swept and kept small. The caller holds its lock."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from reconciler.adapters.git.command import GitProgram
from reconciler.model.outcome import Reason, Transient

COMMITS = "refs/dispatch/commits"
# Where a commit is while it is being made.
WRITTEN = "refs/dispatch/written"
DOUBT = "doubted"
# A fetch brings one pack. Reading looks into each, so they are joined before they are many.
_PACKS = 50
# Commits that stay readable, by last use; more than the applications of one repository follow at a time.
_COMMITS_KEPT = 200


def create(git: GitProgram, beside: Path, commit: str) -> Path:
    """An empty repository for commits like this one (SHA-1 or SHA-256), in a temporary folder beside a mirror."""
    path = Path(tempfile.mkdtemp(prefix=f"{beside.name}.tmp-", dir=beside.parent)) / "git"
    kind = "sha256" if len(commit) == 64 else "sha1"
    done = git.local(["init", "--quiet", "--bare", "--template=", f"--object-format={kind}"], path)
    if done.code:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise Transient(Reason.INTERNAL, f"the Git cache cannot be used: {said}.")
    return path


def replace(path: Path, new: Path) -> None:
    """Put a repository that `create` made in place of whatever is at `path`. Readers keep the old one open."""
    old = Path(tempfile.mkdtemp(prefix=f"{path.name}.tmp-", dir=path.parent))
    with contextlib.suppress(FileNotFoundError):
        path.rename(old / "git")
    new.rename(path)
    discard(old)
    discard(new.parent)


def discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def is_sound(path: Path, commit: str) -> bool:
    """Whether there is a repository that nobody doubts, of the hash that the commit has. Its objects are not read."""
    try:
        config = (path / "config").read_text(errors="replace")
    except OSError:
        return False
    right_hash = ("sha256" in config) == (len(commit) == 64)
    return right_hash and (path / "HEAD").is_file() and not (path / DOUBT).exists()


def sweep(path: Path) -> None:
    """Remove what killed gits left: nobody else writes here under the lock."""
    for leftover in path.parent.glob(f"{path.name}.tmp-*"):
        discard(leftover)
    packs = path / "objects" / "pack"
    for pattern, folder in (
        ("*.lock", path),
        ("*.lock", path / COMMITS),
        ("*.lock", path / WRITTEN.rpartition("/")[0]),
        ("tmp_*", packs),
        ("*.keep", packs),
        ("fast_import_crash_*", path),
    ):
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


def tidy(git: GitProgram, path: Path, started: Callable[[int], None]) -> None:
    """Join the packs when they are many, and drop commits that were not used for long.

    A failure changes nothing that can be read, so it is left to the next fetch.
    """
    if len(list((path / "objects" / "pack").glob("*.pack"))) <= _PACKS:
        return
    by_use = sorted((path / COMMITS).iterdir(), key=lambda ref: ref.stat().st_mtime, reverse=True)
    for ref in by_use[_COMMITS_KEPT:]:
        ref.unlink()
    with contextlib.suppress(Transient):
        for arguments in (["repack", "-a", "-d", "-q"], ["prune", "--expire=now"]):
            git.local(arguments, path, started=started)
