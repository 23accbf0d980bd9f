"""Forges: pull requests of one repository, by the API of what serves it."""

from reconciler.adapters.forge.gitea import GiteaForge
from reconciler.adapters.forge.opening import open_forge

__all__ = ["GiteaForge", "open_forge"]
