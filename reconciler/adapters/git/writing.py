"""Files of a tree written into a folder: what is refused, and how nothing leaves the folder. For both kinds of tree."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from reconciler.adapters.git.listing import LINK, SUBMODULE
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.ports import Entry

_OPEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def key(path: str) -> str:
    """A path as trees hold it: no leading `./`, no `/` at the end; "" for the root."""
    return path.removeprefix("./").rstrip("/") if path != "." else ""


def is_safe(path: str) -> bool:
    """Whether a path names a file below the folder that it is joined to, and none of git's own.

    Git's fsck refuses such names on their way in (hasDotdot, hasDotgit); a path is looked at again where it is used.
    """
    parts = path.split("/")
    return "\0" not in path and all(part not in ("", ".", "..") and part.lower() != ".git" for part in parts)


def refuse(entry: Entry, target: str) -> Terminal | None:
    """The error for an entry that is not a file; `target` is where a link leads, or the commit of a submodule."""
    if entry.mode == LINK:
        return Terminal(
            Reason.RENDER_FAILED,
            f"{entry.path} is a symbolic link to {target!r}; links are not followed. Put the file itself there.",
        )
    if entry.mode == SUBMODULE:
        return Terminal(
            Reason.RENDER_FAILED,
            f"{entry.path} is a Git submodule at {target}; submodules are not read. Put the files themselves there, or "
            "make the submodule a Repository of its own.",
        )
    if not is_safe(entry.path):
        return Terminal(Reason.RENDER_FAILED, f"the path {entry.path!r} leads out of its folder.")
    return None


class Writer:
    """Writes files below `into`, which is private to the caller."""

    def __init__(self, into: Path) -> None:
        self._into, self._root = into, os.path.realpath(into)
        self._folders: set[str] = set()

    def write(self, entry: Entry, data: bytes) -> None:
        """Write one file, 0644 or 0755.

        Raises Terminal(RENDER_FAILED) for a name that no file can have here, Transient(INTERNAL) when the disk fails.
        """
        mode = 0o755 if entry.mode & 0o100 else 0o644
        try:
            self._enter(entry.path.rpartition("/")[0], entry.path)
            descriptor = os.open(self._into / entry.path, _OPEN, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                # The file mask of this process must not decide.
                os.fchmod(descriptor, mode)
        except OSError as error:
            raise _unwritten(entry.path, error) from error

    def _enter(self, folder: str, path: str) -> None:
        """Make a folder, unless a link that somebody put there would take the file elsewhere."""
        if folder in self._folders:
            return
        place = self._into / folder
        place.mkdir(parents=True, exist_ok=True)
        if os.path.realpath(place) != os.path.normpath(os.path.join(self._root, folder)):  # noqa: PTH118
            raise Terminal(Reason.RENDER_FAILED, f"the path {path!r} leads out of {self._into}.")
        self._folders.add(folder)


def _unwritten(path: str, error: OSError) -> StageError:
    message = f"cannot write {path!r}: {error.strerror}."
    if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EISDIR, errno.ENOTDIR, errno.ELOOP):
        return Terminal(Reason.RENDER_FAILED, message)
    return Transient(Reason.INTERNAL, message)


def no_file(path: str, folder: bool, where: str) -> Terminal:
    """The error for a path at which no file is."""
    what = "is a folder, not a file" if folder else "is not there"
    return Terminal(Reason.PATH_NOT_FOUND, f"{path} {what} {where}.")


def too_large(path: str, size: int, limit: int) -> Terminal:
    """The error for a file over the limit of a read."""
    return Terminal(Reason.RENDER_LIMIT, f"{path} has {size} bytes, which is over the limit of {limit}.")
