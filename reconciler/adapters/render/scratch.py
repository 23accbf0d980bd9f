"""Private folders for renders. What a killed process left behind is removed by the next one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reconciler.adapters.render.disk import private_folder

_LOCK = "in-use"
_NEW = ".new-"


class Scratch:
    """Below `root`, a folder for this process, held by a lock that the kernel drops when the process ends."""

    def __init__(self, root: Path) -> None:
        self._root = private_folder(root)
        _sweep(self._root)
        # Locked before it has the name that others sweep.
        made = Path(tempfile.mkdtemp(prefix=_NEW, dir=self._root))
        self._lock = _locked(made / _LOCK)
        self._home = made.rename(made.with_name(made.name.removeprefix(_NEW)))

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A new folder, mode 0700, with an unpredictable name; removed afterwards."""
        path = Path(tempfile.mkdtemp(dir=self._home)).resolve()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(path: Path) -> int | None:
    """The open, locked file; None where another process holds the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _sweep(root: Path) -> None:
    for left in root.iterdir():
        if left.name.startswith(_NEW):
            continue
        lock = _locked(left / _LOCK)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
