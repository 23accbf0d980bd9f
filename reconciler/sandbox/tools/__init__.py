"""The tools of the sandbox and of the renderers: built once from their published modules into a cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.tools import cache
from reconciler.sandbox.tools.recipes import RECIPES, Recipe

__all__ = ["ensure", "find", "share"]


def find(name: str) -> Path | None:
    """The built binary of the tool `name`, or None; never builds."""
    recipe = _recipe(name)
    return cache.binary(recipe) if cache.is_built(recipe) else None


def share(name: str, folder: str) -> Path:
    """A data folder that the tool's module carries, as copied when the tool was built."""
    return cache.share(_recipe(name), folder)


def ensure(names: Iterable[str], progress: Callable[[str], None]) -> dict[str, Path]:
    """Build what is missing, one at a time and in the order given; returns the binary of each name.

    Waits where another process builds, and says so. Raises SandboxError: unknown name, no Go, no disk, failed build.
    """
    recipes = [_recipe(name) for name in names]
    for recipe in recipes:
        if not cache.is_built(recipe):
            _build_alone(recipe, progress)
    return {recipe.name: cache.binary(recipe) for recipe in recipes}


def _build_alone(recipe: Recipe, progress: Callable[[str], None]) -> None:
    from reconciler.sandbox.tools import build, lock

    try:
        with lock.held(cache.cache_root() / "tools" / ".lock", f"building {recipe.title}", progress):
            if not cache.is_built(recipe):
                build.build(recipe, progress)
    except OSError as error:
        raise SandboxError(
            f"could not build {recipe.title} into {cache.cache_root()}: {error}. "
            f"Point DISPATCH_CACHE to a folder that can be written."
        ) from error


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise SandboxError(f"no tool is called {name!r}; there are {', '.join(sorted(RECIPES))}")
    return RECIPES[name]
