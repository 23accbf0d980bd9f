"""What a render reads, found out before it runs: which paths were asked for, and which files it needs."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.render.limits import Limits, exceeded, size
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rendered import ReadSet
from reconciler.ports import Entry, Tree

LINK = 0o120000
SUBMODULE = 0o160000
_LINKS = 8
"""How many links one path may lead over."""


@dataclass(slots=True)
class Scan:
    """The answer of a renderer's scan.

    `oids` becomes the read set: as long as these are the same, a new scan would find the same. `files` are the files
    that the render opens; with `options` and the tool they name the result. `network` is set where the user allowed a
    remote base and there is one. `resources` are the files that hold objects (kustomize); `placements` are charts and
    the places where Helm must find them. `links` are the symbolic links among the files, each with the file that it
    leads to.
    """

    renderer: str
    folder: str
    oids: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, Entry] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    network: bool = False
    resources: list[str] = field(default_factory=list)
    placements: list[tuple[str, str]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

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

    def take(self, entry: Entry) -> Entry:
        """Record a file, by its own id, and take it along. The answer is where its content is: `entry`, or what it
        links to. Raises Terminal: a link that leads out, RENDER_LIMIT."""
        self.scan.oids[entry.path] = entry.oid
        return self._take(entry)

    def take_folder(self, path: str, files: list[Entry]) -> list[Entry]:
        """Record a folder by its tree's id, and take `files` of it along, as `take` does."""
        self.scan.oids[path] = self.tree.oid(path)
        return [self._take(entry) for entry in files]

    def _take(self, entry: Entry) -> Entry:
        content = self._followed(entry) if entry.mode == LINK else entry
        _refuse_submodule(content)
        if content is not entry:
            self.scan.links[entry.path] = content.path
        self._keep(content._replace(path=entry.path))
        return content

    def _followed(self, link: Entry) -> Entry:
        """The file that a link leads to: one of this repository, and recorded, for the link's own id does not tell
        when it changes."""
        entry = link
        for _ in range(_LINKS):
            to = os.fsdecode(self.tree.read(entry.path, limit=4096))
            path = joined(posixpath.dirname(entry.path), to)
            if path is None:
                raise _refused_link(link, to, "it leads out of the repository")
            found = self.tree.files(path)
            if len(found) != 1 or found[0].path != path:
                raise _refused_link(link, to, "it leads to a folder" if found else "nothing is there")
            entry = found[0]
            self.scan.oids[entry.path] = entry.oid
            if entry.mode != LINK:
                return entry
        raise _refused_link(link, "", f"it leads over more than {_LINKS} others")

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


def _refuse_submodule(entry: Entry) -> None:
    if entry.mode == SUBMODULE:
        raise Terminal(
            Reason.RENDER_FAILED,
            f"{entry.path} is a Git submodule, and submodules are not fetched.\nCommit the files themselves.",
        )


def _refused_link(link: Entry, to: str, why: str) -> Terminal:
    way = f" to {to!r}" if to else ""
    return Terminal(
        Reason.RENDER_FAILED,
        f"{link.path} is a symbolic link{way}, and {why}: a link is followed to a file of this repository only.\n"
        f"Put the file itself there, or let the link name the file.",
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
    if not entries and not found:
        raise Terminal(Reason.RENDER_EMPTY, f"{_commit(tree)} has no file at all")
    if not entries:
        # Git knows no empty folder, a disk does.
        empty = "" if tree.commit else ", or nothing is in it"
        raise Terminal(Reason.PATH_NOT_FOUND, f"there is no folder {shown!r} in {_commit(tree)}{empty}")
    if entries[0].path == found:
        _refuse_submodule(entries[0])
        if entries[0].mode == LINK:
            raise _refused_link(entries[0], "", "an Application's path is a folder")
        raise Terminal(Reason.PATH_NOT_FOUND, f"{shown!r} is a file in {_commit(tree)}: name its folder")
    return found


def _commit(tree: Tree) -> str:
    return f"commit {tree.commit[:12]}" if tree.commit else "this folder"
