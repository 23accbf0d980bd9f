"""Has the controller seen the spec that stands there now?"""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import integer, value
from reconciler.core.health.verdict import progressing
from reconciler.model.health import Health


def number(document: Any, *path: str) -> int | None:
    """A generation: an integer, or its digits, as Argo Rollouts and its followers write it.

    None where nothing is, and for other text: a Rollout before v0.10 wrote a hash, which tells nothing.
    """
    found = value(document, *path)
    if isinstance(found, str):
        return int(found) if found.isascii() and found.isdigit() and len(found) < 19 else None
    return None if found is None else integer(document, *path)


def observed(document: Any) -> int | None:
    """`status.observedGeneration`, None when the status does not say."""
    return number(document, "status", "observedGeneration")


def unobserved(document: Any, *, required: bool = False) -> Health | None:
    """Progressing while the status speaks of an older spec, None when it speaks of this one.

    `required`: a status without an observedGeneration is one that the controller has not written yet.
    """
    wanted = integer(document, "metadata", "generation")
    seen = observed(document)
    if seen is None:
        return progressing("waiting for the controller to see the object") if required else None
    if seen < wanted:
        return progressing(f"waiting for the controller to see generation {wanted} of the spec (it has seen {seen})")
    return None
