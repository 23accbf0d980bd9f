"""Git: bare mirrors of remote repositories read as trees, and a plain folder read in the same way."""

from reconciler.adapters.git.folder import FolderTree
from reconciler.adapters.git.source import GitSource

__all__ = ["FolderTree", "GitSource"]
