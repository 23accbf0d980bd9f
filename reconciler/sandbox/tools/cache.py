"""Where built tools live: `<cache>/tools/<tool>/<version>/{bin,share}`."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.sandbox.tools.recipes import Recipe


def cache_root() -> Path:
    """`DISPATCH_CACHE`, else `dispatch` under `XDG_CACHE_HOME`, else `~/.cache/dispatch` (XDG base directories)."""
    if own := os.environ.get("DISPATCH_CACHE"):
        return Path(own).expanduser().absolute()
    xdg = os.environ.get("XDG_CACHE_HOME")
    base = Path(xdg) if xdg and Path(xdg).is_absolute() else Path.home() / ".cache"
    return base / "dispatch"


def home(recipe: Recipe) -> Path:
    return cache_root() / "tools" / recipe.name / recipe.version


def binary(recipe: Recipe) -> Path:
    return home(recipe) / "bin" / recipe.program


def share(recipe: Recipe, folder: str) -> Path:
    """A data folder of the module, copied beside the tool when it was built."""
    return home(recipe) / "share" / folder


def log(recipe: Recipe) -> Path:
    """Kept outside the tool's own folder, so that a failed build leaves a log and nothing else."""
    return cache_root() / "logs" / f"{recipe.name}-{recipe.version}.log"


def is_built(recipe: Recipe) -> bool:
    return os.access(binary(recipe), os.X_OK)
