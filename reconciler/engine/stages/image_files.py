"""The files of a folder that may name an image, with those that its kustomization is built on."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from reconciler.core.image_edits import NAMES, is_read, needed
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Tree

_FILES = 500
_FILE = 1024 * 1024
_DEEP = 20


def image_files(tree: Tree, path: str) -> tuple[dict[str, str], str]:
    """The files that may name the image, by path; and the kustomization that decides for the folder, if there is one.

    Files of a base outside the folder are there to be seen, and are never written: the kustomization lists the image.
    """
    root = "" if path == "." else path
    found = _folder(tree, root)
    top = next((name for name in (posixpath.join(root, each) for each in NAMES) if name in found), "")
    if top:
        for folder in _bases(tree, top, found[top]):
            found = {**_without_kustomizations(_folder(tree, folder)), **found}
    return found, top


def _folder(tree: Tree, root: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in tree.files(root):
        if entry.mode == 0o120000 or entry.size > _FILE or not is_read(entry.path, root if root != entry.path else ""):
            continue
        if len(found) == _FILES:
            raise Terminal(Reason.IMAGE_NOT_WRITTEN, f"{root or '.'} has over {_FILES} files: name a smaller folder")
        try:
            found[entry.path] = tree.read(entry.path, _FILE).decode()
        except UnicodeDecodeError:
            continue
    return found


def _bases(tree: Tree, top: str, text: str) -> Iterable[str]:
    """The folders and files outside that a kustomization is built on, and what those are built on."""
    waiting, seen = [(top, text)], set[str]()
    while waiting and len(seen) < _DEEP:
        at, content = waiting.pop()
        for name in needed(content):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(at), name))
            if "://" in name or path.startswith("..") or path in seen or tree.oid(path) is None:
                continue
            seen.add(path)
            inner = next((each for each in (posixpath.join(path, name) for name in NAMES) if tree.oid(each)), "")
            if inner:
                waiting.append((inner, tree.read(inner, _FILE).decode("utf-8", "replace")))
    return seen


def _without_kustomizations(files: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if posixpath.basename(path) not in NAMES}
