"""Is a live object healthy? Pure functions, one file per kind; the words and their order are Argo CD's.

docs/health.md holds the rule of every kind and where it comes from.
"""

from reconciler.core.health.rules import MISSING, RULES, assess

__all__ = ["MISSING", "RULES", "assess"]
