"""`python -m reconciler.sandbox.tools [NAME ...]`: build them; with no name, all that are not built on demand only."""

from __future__ import annotations

import sys

from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.progress import ProgressPrinter
from reconciler.sandbox.tools import ensure
from reconciler.sandbox.tools.recipes import RECIPES

if __name__ == "__main__":
    try:
        with ProgressPrinter() as progress:
            ensure(sys.argv[1:] or [name for name, recipe in RECIPES.items() if not recipe.on_demand], progress)
    except SandboxError as error:
        sys.exit(f"error: {error}")
