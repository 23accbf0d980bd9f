"""Builds one tool from its published module into the cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from reconciler.sandbox import process
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.tools import cache, toolchain
from reconciler.sandbox.tools.recipes import Recipe

Progress = Callable[[str], None]

# What the log of a failed build says, and the way out of it; the first match counts.
_WAYS_OUT = (
    ("no space left on device", "The disk is full: free some space, or point DISPATCH_CACHE and GOCACHE elsewhere."),
    ("signal: killed", "The compiler was killed, most likely for want of memory: about 3 GiB must be free."),
    ("C compiler", "This tool needs a C compiler: install gcc."),
    ("dial tcp", "The Go module proxy cannot be reached: check the network, or set GOPROXY to one that can."),
    ("proxyconnect", "The HTTP proxy cannot be reached: check HTTPS_PROXY."),
    ("checksum mismatch", "A module was altered on the way: run `go clean -modcache`, or use another GOPROXY."),
)


def build(recipe: Recipe, progress: Progress) -> None:
    """Build `recipe` into the cache. The caller holds the build lock.

    Works in a private folder that is renamed into place as the last act: a failed or killed build leaves no half tool.
    Raises SandboxError with the end of the log and the way out.
    """
    go = toolchain.find(progress)
    _check_space(recipe, (cache.cache_root(), go.build_cache, go.module_cache))
    private = cache.cache_root() / "tools" / ".building"
    # Whatever lies there was left by a killed build, since we hold the lock.
    shutil.rmtree(private, ignore_errors=True)
    out = private / "out"
    out.mkdir(parents=True)
    log = cache.log(recipe)
    log.unlink(missing_ok=True)
    progress(f"building {recipe.title} ...")
    began = time.monotonic()
    try:
        _compile(recipe, go, private, out / "bin" / recipe.program)
        _copy_data(recipe, go, private, out / "share")
        target = cache.home(recipe)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        out.rename(target)
    finally:
        shutil.rmtree(private, ignore_errors=True)
    progress(f"built {recipe.title} in {time.monotonic() - began:.0f} s")


def go_mod(recipe: Recipe) -> str:
    """The go.mod of our own: requires the module and repeats its replaces."""
    replaces = "".join(f"replace {old} => {new}\n" for old, new in sorted(recipe.replaces.items()))
    return f"module dispatch.dev/sandbox/{recipe.name}\n\ngo 1.26\n\n{replaces}"


def _compile(recipe: Recipe, go: toolchain.Go, folder: Path, target: Path) -> None:
    (folder / "go.mod").write_text(go_mod(recipe), encoding="utf-8")
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in recipe.variables.items())])
    tags = ["-tags", recipe.tags] if recipe.tags else []
    _go(recipe, go, folder, ["get", f"{recipe.import_path}@{recipe.version}"])
    _go(recipe, go, folder, ["build", "-trimpath", *tags, "-ldflags", flags, "-o", str(target), recipe.import_path])


def _go(recipe: Recipe, go: toolchain.Go, folder: Path, arguments: Sequence[str]) -> None:
    log = cache.log(recipe)
    code = process.run([str(go.path), *arguments], log=log, cwd=folder, env=_environment(recipe))
    if code:
        raise SandboxError(
            f"could not build {recipe.title}: `go {arguments[0]}` ended with code {code}\n{process.tail(log)}\n"
            f"The whole log: {log}\n{_way_out(log)} What was built before is kept; run the same command again."
        )


def _environment(recipe: Recipe) -> dict[str, str]:
    """The user's own settings (GOPROXY, HTTPS_PROXY, GOCACHE) hold; only what would change the result is ours."""
    return os.environ | {
        "GOFLAGS": "-mod=mod -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GO111MODULE": "on",
        "CGO_ENABLED": "1" if recipe.cgo else "0",
    }


def _copy_data(recipe: Recipe, go: toolchain.Go, folder: Path, share: Path) -> None:
    """The module's data goes beside the tool, so that a start does not depend on Go's module cache."""
    if not recipe.data:
        return
    question = [str(go.path), "mod", "download", "-json", f"{recipe.module}@{recipe.version}"]
    try:
        module = Path(json.loads(process.output(question, env=_environment(recipe), cwd=folder))["Dir"])
        for name in recipe.data:
            # Go keeps modules read-only, and a read-only folder could not be removed later.
            shutil.copytree(module / name, share / name, copy_function=shutil.copyfile)
    except (OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
        raise SandboxError(f"could not copy the data of {recipe.title} into the cache: {error}") from error
    for directory in (share, *(path for path in share.rglob("*") if path.is_dir())):
        directory.chmod(0o755)


def _check_space(recipe: Recipe, folders: Sequence[Path]) -> None:
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(there).free >> 20
        if free < recipe.disk_mib:
            raise SandboxError(
                f"not enough disk space to build {recipe.title}: it needs about {recipe.disk_mib} MiB on the disk of "
                f"{folder}, where {free} MiB are free. Free some space, or point DISPATCH_CACHE, GOCACHE or "
                f"GOMODCACHE to a bigger disk."
            )


def _way_out(log: Path) -> str:
    text = process.tail(log, lines=200)
    return next((advice for sign, advice in _WAYS_OUT if sign in text), "")
