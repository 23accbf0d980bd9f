"""Where the files that Dispatch writes for its users are: in the wheel, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path

import reconciler


def template_folder(name: str) -> Path:
    """The folder `name` of `gitops-templates`."""
    package = Path(reconciler.__file__).parent
    return next(folder for root in (package, package.parent) if (folder := root / "gitops-templates" / name).is_dir())
