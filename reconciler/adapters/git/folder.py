"""A folder of this machine read as a tree, with the ids that Git would give: for a render without a commit."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from reconciler.adapters.git import writing
from reconciler.adapters.git.listing import LINK, TREE
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import Entry

_CHUNK = 1024 * 1024


class _Folder(NamedTuple):
    """A folder that was walked: its id (None when no file is below it) and its files, sorted by path."""

    oid: str | None
    files: list[Entry]


class FolderTree:
    """Implements `Tree` for a plain folder, with `commit` empty. Ids are those of Git with SHA-1 for the same files.

    Everything counts but `.git`, devices, sockets and pipes; no ignore file is read. Only what is asked for is read and
    hashed, once: a file that is another one when its content is wanted raises Transient, so that no render is kept
    under the id of files that it did not see. Not safe for writers to the folder; safe for many threads.
    """

    commit = ""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._folders: dict[str, _Folder] = {}
        self._entries: dict[str, Entry] = {}

    def oid(self, path: str) -> str | None:
        name = writing.key(path)
        mode = self._mode(name)
        if mode == TREE:
            return self._folder(name).oid
        return self._entry(name, mode).oid if mode else None

    def files(self, path: str = "") -> Sequence[Entry]:
        name = writing.key(path)
        mode = self._mode(name)
        if mode == TREE:
            return list(self._folder(name).files)
        return [self._entry(name, mode)] if mode else []

    def read(self, path: str, limit: int) -> bytes:
        name, mode = self._file(path)
        size = self._root.joinpath(name).lstat().st_size
        if size > limit:
            raise writing.too_large(name, size, limit)
        return self._content(name, mode)

    def export(self, paths: Collection[str], into: Path) -> None:
        entries = [self._entry(*self._file(path)) for path in sorted(paths)]
        for entry in entries:
            target = os.fsdecode(_link(self._root / entry.path)) if entry.mode == LINK else entry.oid
            if refusal := writing.refuse(entry, target):
                raise refusal
        writer = writing.Writer(into)
        for entry in entries:
            writer.write(entry, self._content(entry.path, entry.mode))

    def _mode(self, name: str) -> int:
        """Git's mode of what is at the path, 0 for nothing. No link is followed on the way there."""
        if name and not writing.is_safe(name):
            return 0
        place, parts = self._root, name.split("/") if name else []
        try:
            for part in parts[:-1]:
                place = place / part
                if not stat.S_ISDIR(place.lstat().st_mode):
                    return 0
            mode = _git_mode(self._root.joinpath(*parts).lstat().st_mode)
            return mode if name or mode == TREE else 0
        except (FileNotFoundError, NotADirectoryError):
            return 0
        except OSError as error:
            raise _unreadable(name, error) from error

    def _file(self, path: str) -> tuple[str, int]:
        name = writing.key(path)
        mode = self._mode(name)
        if mode in (0, TREE):
            raise writing.no_file(path, mode == TREE, f"in {self._root}")
        return name, mode

    def _content(self, name: str, mode: int) -> bytes:
        place = self._root / name
        try:
            data = _link(place) if mode == LINK else place.read_bytes()
        except OSError as error:
            raise _unreadable(name, error) from error
        known = self._entries.get(name)
        if known is not None and known.oid != _hash("blob", data):
            raise Transient(Reason.RENDER_FAILED, f"{name} changed while it was read. Run it again.")
        return data

    def _entry(self, name: str, mode: int) -> Entry:
        if name not in self._entries:
            place = self._root / name
            try:
                if mode == LINK:
                    data = _link(place)
                    self._entries[name] = Entry(name, _hash("blob", data), mode, len(data))
                else:
                    oid, size = _hash_file(place)
                    self._entries[name] = Entry(name, oid, mode, size)
            except OSError as error:
                raise _unreadable(name, error) from error
        return self._entries[name]

    def _folder(self, name: str) -> _Folder:
        if name not in self._folders:
            self._folders[name] = self._walk(name)
        return self._folders[name]

    def _walk(self, name: str) -> _Folder:
        try:
            with os.scandir(self._root / name) as found:
                children = [(child.name, _git_mode(child.stat(follow_symlinks=False).st_mode)) for child in found]
        except OSError as error:
            raise _unreadable(name or ".", error) from error
        files: list[Entry] = []
        records: list[tuple[bytes, bytes]] = []
        for child, mode in children:
            path = f"{name}/{child}" if name else child
            if not mode or child.lower() == ".git":
                continue
            if mode == TREE:
                below = self._folder(path)
                oid = below.oid
                files += below.files
            else:
                entry = self._entry(path, mode)
                oid = entry.oid
                files.append(entry)
            if oid is not None:
                raw = os.fsencode(child)
                # Git sorts a folder as if its name ended with a slash (base_name_compare), and writes no leading zero.
                records.append((raw + b"/" if mode == TREE else raw, b"%o %s\0" % (mode, raw) + bytes.fromhex(oid)))
        files.sort()
        listing = b"".join(record for _, record in sorted(records))
        # Git knows no empty folder, except the root.
        return _Folder(_hash("tree", listing) if records or not name else None, files)


def _git_mode(mode: int) -> int:
    """Git's mode of a file type and permissions; 0 for what Git does not keep."""
    if stat.S_ISDIR(mode):
        return TREE
    if stat.S_ISLNK(mode):
        return LINK
    if stat.S_ISREG(mode):
        return 0o100755 if mode & stat.S_IXUSR else 0o100644
    return 0


def _link(place: Path) -> bytes:
    """Where a link leads, to the byte: pathlib would tidy `a//b/` up."""
    return os.readlink(os.fsencode(place))  # noqa: PTH115


def _hash(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


def _hash_file(place: Path) -> tuple[str, int]:
    """The blob id and the size, without holding the file in memory."""
    with place.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest(), size


def _unreadable(path: str, error: OSError) -> Terminal:
    return Terminal(Reason.RENDER_FAILED, f"cannot read {path}: {error.strerror}.")
