"""What a render reads, found out before it runs: which paths were asked for, and which files it needs."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.render.limits import Limits, exceeded, size
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rendered import ReadSet
from reconciler.ports import Entry, Tree

LINK = 0o120000
SUBMODULE = 0o160000


@dataclass(slots=True)
class Scan:
    """The answer of a renderer's scan.

    `oids` becomes the read set: as long as these are the same, a new scan would find the same. `files` are the files
    that the render opens; with `options` and the tool they name the result. `network` is set where the user allowed a
    remote base and there is one. `resources` are the files that hold objects (kustomize); `placements` are charts and
    the places where Helm must find them.
    """

    renderer: str
    folder: str
    oids: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, Entry] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    network: bool = False
    resources: list[str] = field(default_factory=list)
    placements: list[tuple[str, str]] = field(default_factory=list)

    @property
    def read_set(self) -> ReadSet:
        return ReadSet(self.oids)


class Reading:
    """Looks into a tree and keeps what it has looked at."""

    def __init__(self, tree: Tree, scan: Scan, limits: Limits) -> None:
        self.tree = tree
        self.scan = scan
        self._limits = limits
        self._bytes = 0

    def look(self, path: str) -> Entry | str | None:
        """The file at `path`, or the id of the folder, or None. What is not there is recorded, what is there not."""
        oid = self.tree.oid(path)
        if oid is None:
            self.scan.oids[path] = None
            return None
        entries = self.tree.files(path)
        return entries[0] if len(entries) == 1 and entries[0].path == path else oid

    def take(self, entry: Entry) -> None:
        """Record a file, by its own id, and take it along. Raises Terminal: a link, RENDER_LIMIT."""
        refuse_odd(entry)
        self.scan.oids[entry.path] = entry.oid
        self._keep(entry)

    def take_folder(self, path: str, files: list[Entry]) -> None:
        """Record a folder by its tree's id, and take `files` of it along."""
        self.scan.oids[path] = self.tree.oid(path)
        for entry in files:
            self._keep(entry)

    def _keep(self, entry: Entry) -> None:
        if entry.path in self.scan.files:
            return
        if entry.size > self._limits.file:
            raise exceeded(
                "file", f"{entry.path} has {size(entry.size)}", self._limits.file, "Take it out of the folder"
            )
        self._bytes += entry.size
        if self._bytes > self._limits.read_set:
            what = f"the files that {self.scan.folder or 'the root of the repository'} is made of are more than"
            raise exceeded(
                "read_set",
                f"{what} {size(self._limits.read_set)}, at {entry.path}",
                self._limits.read_set,
                "Move what Kubernetes does not need to another folder",
            )
        self.scan.files[entry.path] = entry


def refuse_odd(entry: Entry) -> None:
    """Raises Terminal for what is no file with a content of its own: a symbolic link, a submodule."""
    if entry.mode == LINK:
        raise Terminal(
            Reason.RENDER_FAILED,
            f"{entry.path} is a symbolic link, and links are not followed: a link can point out of the repository.\n"
            f"Put the file itself there, or name the file that the link points to.",
        )
    if entry.mode == SUBMODULE:
        raise Terminal(
            Reason.RENDER_FAILED,
            f"{entry.path} is a Git submodule, and submodules are not fetched.\nCommit the files themselves.",
        )


def joined(folder: str, path: str) -> str | None:
    """`path` seen from `folder`, from the root of the repository; None where it leaves the repository."""
    if path.startswith("/"):
        return None
    found = posixpath.normpath(posixpath.join(folder, path))
    if found == ".." or found.startswith("../"):
        return None
    return "" if found == "." else found


def normal(path: str) -> str:
    """A path of a request as trees name it. Raises Terminal(PATH_NOT_FOUND) where it leaves the repository."""
    found = joined("", path.strip("/"))
    if found is None:
        raise Terminal(Reason.PATH_NOT_FOUND, f"the path {path!r} leaves the repository")
    return found


def folder(tree: Tree, path: str) -> str:
    """The path of the request's folder. Raises Terminal(PATH_NOT_FOUND)."""
    found = normal(path)
    entries = tree.files(found)
    shown = found or "."
    if not entries:
        raise Terminal(Reason.PATH_NOT_FOUND, f"there is no folder {shown!r} in {_commit(tree)}")
    if entries[0].path == found:
        refuse_odd(entries[0])
        raise Terminal(Reason.PATH_NOT_FOUND, f"{shown!r} is a file in {_commit(tree)}: name its folder")
    return found


def _commit(tree: Tree) -> str:
    return f"commit {tree.commit[:12]}" if tree.commit else "this folder"
