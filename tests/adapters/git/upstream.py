"""Real repositories for tests, made by git's fast-import: any name and any mode, and no work tree."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}


class File(NamedTuple):
    """A file that is not a plain one: a program, a link (its content is the target) or a submodule (a commit id)."""

    content: bytes
    mode: str

    @classmethod
    def program(cls, content: bytes) -> File:
        return cls(content, "100755")

    @classmethod
    def link(cls, target: bytes) -> File:
        return cls(target, "120000")

    @classmethod
    def submodule(cls, commit: str) -> File:
        return cls(commit.encode(), "160000")


Files = Mapping[str, bytes | File]
"""By path; what is not UTF-8 in one is written as surrogates, as Python does with names of files."""


class Upstream:
    """A bare repository that plays the remote one."""

    def __init__(self, path: Path, branch: str = "main", object_format: str = "sha1") -> None:
        self.path = path
        subprocess.run(
            ["git", "init", "-q", "--bare", "-b", branch, f"--object-format={object_format}", str(path)],
            env=ENVIRONMENT,
            check=True,
        )

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=ENVIRONMENT, input=stdin, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def commit(
        self,
        files: Files,
        branch: str = "main",
        message: str | bytes = "change",
        author: str = "Ada <ada@example.com>",
        parent: bool = True,
    ) -> str:
        """A commit that holds exactly these files; without `parent` the branch is forced onto a new history."""
        text = message if isinstance(message, bytes) else message.encode()
        onto = parent and self._has(branch)
        return self._import(_commit(files, branch, text, author, f"refs/heads/{branch}^0" if onto else ""))

    def history(self, count: int, commit: Callable[[int], tuple[Files, str]]) -> str:
        """So many commits one upon the other in a new branch `main`, each of (files, message); the last."""
        stream = []
        for number in range(count):
            files, message = commit(number)
            # Within one stream a commit is upon the one before.
            stream.append(_commit(files, "main", message.encode(), "Ada <ada@example.com>", ""))
        return self._import(b"".join(stream))

    def _has(self, branch: str) -> bool:
        # One process less, where the file of the ref tells.
        ref = f"refs/heads/{branch}"
        return (self.path / ref).exists() or bool(self.git("for-each-ref", ref))

    def _import(self, stream: bytes) -> str:
        return self.git("fast-import", "--quiet", "--force", stdin=stream + b"get-mark :1\n")


def _commit(files: Files, branch: str, message: bytes, author: str, onto: str) -> bytes:
    """For git fast-import; its mark is 1."""
    stream = [f"commit refs/heads/{branch}\nmark :1\n".encode()]
    stream.append(f"author {author} 1700000000 +0000\ncommitter {author} 1700000000 +0000\n".encode())
    stream.append(b"data %d\n%s\n" % (len(message), message))
    if onto:
        stream.append(f"from {onto}\n".encode())
    stream.append(b"deleteall\n")
    for name, value in files.items():
        content, mode = (value.content, value.mode) if isinstance(value, File) else (value, "100644")
        path = _quoted(name.encode("utf-8", "surrogateescape"))
        if mode == "160000":
            stream.append(b"M 160000 %s %s\n" % (content, path))
        else:
            stream.append(b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), path, len(content), content))
    return b"".join(stream)


def _quoted(path: bytes) -> bytes:
    escaped = b"".join(
        b"\\%03o" % byte if byte < 33 or byte > 126 or byte in b'"\\' else bytes([byte]) for byte in path
    )
    return b'"' + escaped + b'"'
