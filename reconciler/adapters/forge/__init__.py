"""Forges: pull requests and commit statuses of one repository, by the API of what serves it."""

from reconciler.adapters.forge.opening import Forges, open_forge
from reconciler.adapters.forge.tokens import Installations

__all__ = ["Forges", "Installations", "open_forge"]
