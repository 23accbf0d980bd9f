"""What `dispatch doctor` looks at on this machine."""

from __future__ import annotations

import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from reconciler.cli.diagnosis import Check, Mark

_PYTHON = (3, 11)
_GIT = (2, 31)
"""GIT_CONFIG_COUNT, by which git gets its configuration here, came with git 2.31."""
_GIB = 1024**3
_SPACE = 1 * _GIB
_NUMBERS = re.compile(r"(\d+)\.(\d+)")

_RENDERERS = {
    "kustomize": ("folders with a kustomization", "install kustomize 5 or kubectl"),
    "helm": ("charts", "install Helm 4 (or 3)"),
}


def machine() -> Iterator[Check]:
    """The checks, in the order in which they are shown."""
    from reconciler import app

    yield python(sys.version_info[:2])
    yield _git()
    cache = app.cache_home()
    for name in _RENDERERS:
        yield _renderer(name, cache)
    yield _jail()
    yield folder(cache)
    yield _go()


def python(version: tuple[int, int]) -> Check:
    found = f"{platform.python_version()} ({sys.executable})"
    if version < _PYTHON:
        return Check("python", Mark.FAILED, found, f"use Python {_PYTHON[0]}.{_PYTHON[1]} or later")
    return Check("python", Mark.GOOD, found)


def git(said: str | None) -> Check:
    """`said` is the output of `git --version`, None when it is not installed."""
    needed = f"{_GIT[0]}.{_GIT[1]}"
    if said is None:
        return Check("git", Mark.FAILED, "not on PATH", f"install git {needed} or later: repositories are read with it")
    found = _NUMBERS.search(said)
    if found is None or (int(found[1]), int(found[2])) < _GIT:
        return Check("git", Mark.FAILED, said, f"install git {needed} or later")
    return Check("git", Mark.GOOD, said.removeprefix("git version "))


def folder(cache: Path) -> Check:
    """Whether files can be made in the cache folder, and how much room there is."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            free = shutil.disk_usage(cache).free
    except OSError as error:
        advice = "make it writable, or name another folder with $DISPATCH_CACHE"
        return Check("cache", Mark.FAILED, f"{cache} cannot be written: {error.strerror}", advice)
    found = f"{cache}, {free / _GIB:.1f} GiB free"
    if free < _SPACE:
        return Check("cache", Mark.WARNING, found, "make room, or name another folder with $DISPATCH_CACHE")
    return Check("cache", Mark.GOOD, found)


def _git() -> Check:
    return git(_version("git", "--version"))


def _renderer(name: str, cache: Path) -> Check:
    from reconciler import app
    from reconciler.adapters.render.tool import Toolbox
    from reconciler.model.outcome import StageError

    what, advice = _RENDERERS[name]
    try:
        found = Toolbox(app.tool, cache / "render" / "tool-versions.json").find(name)
    except StageError as error:
        found_none = "not installed" if app.tool(name) is None else error.message.partition("\n")[0]
        return Check(name, Mark.WARNING, found_none, f"{advice}: {what} need it")
    except OSError as error:
        return Check(name, Mark.WARNING, f"its version cannot be kept in {cache}: {error.strerror}")
    return Check(name, Mark.GOOD, f"{found.title.removeprefix(f'{name} ')} ({found.path})")


def _jail() -> Check:
    from reconciler.adapters.render import jail

    found = jail.describe()
    if jail.walls().unshare:
        return Check("jail", Mark.GOOD, found)
    sentence, _, advice = found.rpartition(". ")
    return Check("jail", Mark.WARNING, sentence, advice)


def _go() -> Check:
    said = _version("go", "version")
    if said is None:
        found = "not on PATH: `dispatch sandbox up` fetches one when it builds the sandbox"
        return Check("go", Mark.INFO, found)
    return Check("go", Mark.INFO, f"{said.removeprefix('go version ')}; only `dispatch sandbox` uses it")


def _version(program: str, *words: str) -> str | None:
    """The first line that a program says; None when it is not installed or does not answer."""
    from reconciler.adapters import process

    try:
        done = process.run([program, *words], timeout=10.0, max_output=64 * 1024)
    except process.ProcessError:
        return None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return lines[0].strip() if done.code == 0 and lines else None
