"""Renders kept on disk: a file for each key, which a restart finds again. Losing it costs time, never truth."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path

from reconciler.adapters.render.manifests import digest, holds_secrets
from reconciler.adapters.render.output import Output
from reconciler.model.manifest import Manifest, Origin

DEFAULT_BYTES = 512 * 1024 * 1024


class Disk:
    """Safe for many threads and processes. What cannot be read or is not what was written counts as absent."""

    def __init__(self, folder: Path, max_bytes: int = DEFAULT_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._written: int | None = None
        self._guard = threading.Lock()

    def get(self, key: str) -> tuple[Output, str] | None:
        """What was rendered under `key`, and its digest."""
        path = self._path(key)
        try:
            kept = json.loads(path.read_bytes())
            found = [Manifest(document, Origin(file, line)) for document, file, line in kept["manifests"]]
            output = Output(found, list(kept["hooks"]))
            if kept["key"] != key or kept["digest"] != digest(found):
                return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return output, kept["digest"]

    def put(self, key: str, output: Output, output_digest: str) -> None:
        """Keep a render, unless it holds the value of a Secret: those stay in memory."""
        if holds_secrets(output.manifests):
            return
        kept = {
            "key": key,
            "digest": output_digest,
            "hooks": output.hooks,
            "manifests": [[manifest.document, *manifest.origin] for manifest in output.manifests],
        }
        content = json.dumps(kept, separators=(",", ":")).encode()
        write_private(self._path(key), content)
        self._make_room(len(content))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _make_room(self, added: int) -> None:
        """Remove what was used least lately, once the whole is too large; down to nine tenths, so that it is rare."""
        with self._guard:
            if self._written is not None and self._written + added <= self._max_bytes:
                self._written += added
                return
            files = sorted(_files(self._folder))
            total = sum(size for _, size, _ in files)
            enough = total if total <= self._max_bytes else self._max_bytes * 9 // 10
            for _, size, path in files:
                if total <= enough:
                    break
                path.unlink(missing_ok=True)
                total -= size
            self._written = total


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """Time of last use, size and path of each file."""
    found = []
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                state = path.stat()
                found.append((state.st_mtime_ns, state.st_size, path))
    return found


def private_folder(path: Path) -> Path:
    """The folder, made if missing, that nobody else can look into."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def write_private(path: Path, content: bytes) -> None:
    """Put a file in place at once, readable by us alone. A full disk is no error: the file is only a cache."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
