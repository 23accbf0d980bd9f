"""A commit made in a bare repository, without a work tree, by one `git fast-import`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from reconciler.adapters import process
from reconciler.adapters.git import bare, writing
from reconciler.adapters.git.command import GitProgram
from reconciler.adapters.git.commit import is_id
from reconciler.adapters.git.objects import Lost
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import Blob

_TELLING = ("fatal:", "error:")


class Draft(NamedTuple):
    """All that a commit is made of, so that the same draft is the same commit id. `time` is in seconds since 1970."""

    parent: str | None
    files: Mapping[str, Blob]
    message: str
    signature: str
    time: int


Signed = Callable[[str], str]
"""The id of a commit -> that of the same commit, signed."""


def make(
    git: GitProgram, path: Path, draft: Draft, started: Callable[[int], None], signed: Signed = lambda commit: commit
) -> str:
    """The id of the commit, which is readable then. The caller holds the lock of the repository at `path`.

    Raises Lost when an object that it builds on is not there, and what `signed` raises.
    """
    # `done` is the last word of the stream: when we are killed while we write it, no half of it becomes a commit.
    options = ["--quiet", "--force", "--done", "--date-format=raw"]
    made = git.local(["fast-import", *options], path, started, stdin=b"".join(_stream(draft)))
    if made.code:
        raise _failed(made)
    commit = signed(made.stdout.decode().strip())
    kept = f"update {bare.COMMITS}/{commit} {commit}\ndelete {bare.WRITTEN}\n"
    noted = git.local(["update-ref", "--no-deref", "--stdin"], path, started, stdin=kept.encode())
    if noted.code:
        raise _failed(noted)
    return commit


def _stream(draft: Draft) -> Iterator[bytes]:
    """The language of git-fast-import(1)."""
    person = f"{draft.signature} {draft.time} +0000"
    # A commit with a NUL in its message is refused by other gits (fsck's nulInCommit).
    message = draft.message.replace("\0", "").encode("utf-8", "replace")
    yield f"commit {bare.WRITTEN}\nmark :1\nauthor {person}\ncommitter {person}\n".encode()
    yield b"data %d\n%s\n" % (len(message), message)
    if draft.parent is not None:
        yield f"from {draft.parent}\n".encode()
    # What is taken out first makes room for a folder in the place of a file.
    for path in sorted(draft.files, key=lambda path: (draft.files[path] is not None, path)):
        yield _change(path, draft.files[path])
    yield b"\nget-mark :1\ndone\n"


def _change(path: str, blob: Blob) -> bytes:
    if not writing.is_safe(path):
        raise Terminal(Reason.INVALID_SPEC, f"the path {path!r} cannot be in a commit.")
    name = _quoted(os.fsencode(path))
    if blob is None:
        return b"D %s\n" % name
    if isinstance(blob, bytes):
        return b"M 100644 inline %s\ndata %d\n%s\n" % (name, len(blob), blob)
    mode, oid = blob
    if not is_id(oid):
        raise Terminal(Reason.INVALID_SPEC, f"{oid!r} at {path!r} is not the id of a file.")
    return b"M %o %s %s\n" % (mode, oid.encode(), name)


def _quoted(path: bytes) -> bytes:
    """A path in the quotes of C, in which it may hold any byte."""
    escaped = (b"\\%03o" % byte if byte < 33 or byte > 126 or byte in b'"\\' else bytes([byte]) for byte in path)
    return b'"' + b"".join(escaped) + b'"'


def _failed(done: process.Completed) -> Lost | Transient:
    if done.code < 0:
        return Transient(Reason.INTERNAL, f"a commit cannot be made: git was ended by signal {-done.code}.")
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.startswith(_TELLING)]
    return Lost(lines[0][:300] if lines else "git ended without a word")
