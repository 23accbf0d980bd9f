"""Where a folder of this machine lies in its repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from reconciler.model.outcome import Reason, Terminal

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_WORD = re.compile(r"""[^\s"'\[\]{},]+""")


class Located(NamedTuple):
    """A folder: the root of its repository, and the path in it (posix; "" is the root itself)."""

    root: Path
    path: str


def locate(folder: Path, also: Iterable[Path] = (), root: Path | None = None) -> Located:
    """Where `folder` lies: below `root` when it is given, else below the nearest folder with a `.git`, else below the
    lowest folder that holds it, the files in `also` and every base that its kustomizations reach.

    Raises Terminal(PATH_NOT_FOUND).
    """
    if not folder.is_dir():
        what = "is a file: name the folder that it is in" if folder.exists() else "does not exist"
        raise Terminal(Reason.PATH_NOT_FOUND, f"{folder} {what}")
    if root is not None and not root.is_dir():
        raise Terminal(Reason.PATH_NOT_FOUND, f"--root {root} is not a folder")
    resolved = folder.resolve()
    found = root.resolve() if root is not None else _repository(resolved)
    if found is None:
        found = _lowest([resolved, *(file.resolve().parent for file in also), *_reached(resolved)])
    return Located(found, inside(found, folder))


def inside(root: Path, path: Path) -> str:
    """The path of a file or folder below `root`, posix, "" for the root. Raises Terminal(PATH_NOT_FOUND)."""
    try:
        relative = path.resolve().relative_to(root.resolve())
    except ValueError:
        raise Terminal(
            Reason.PATH_NOT_FOUND,
            f"{path} is outside of the repository {root}: move it there, or name a folder that holds both with --root",
        ) from None
    return "" if relative == Path() else relative.as_posix()


def repository_root(file: Path) -> Path:
    """The root of the repository that holds a file; the file's own folder when it is in none."""
    folder = file.resolve().parent
    return _repository(folder) or folder


def _repository(folder: Path) -> Path | None:
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def _reached(folder: Path) -> set[Path]:
    """The folders that hold what the kustomization of a folder names, and what theirs name in turn."""
    reached = {folder}
    left = [folder]
    while left:
        here = left.pop()
        for word in _words(here):
            place = os.path.normpath(here / word)
            found = Path(place if os.path.isdir(place) else os.path.dirname(place))  # noqa: PTH112, PTH120
            if found not in reached and os.path.exists(place):  # noqa: PTH110
                reached.add(found)
                left.append(found)
    return reached


def _words(folder: Path) -> list[str]:
    """What may be a relative path in a kustomization; `os.path` says of any text whether it is one."""
    for name in _KUSTOMIZATIONS:
        file = folder / name
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            return [word for word in _WORD.findall(text) if not word.startswith("/")]
    return []


def _lowest(folders: Iterable[Path]) -> Path:
    return Path(os.path.commonpath([str(folder) for folder in folders]))
