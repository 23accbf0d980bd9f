"""Has the controller seen the spec that stands there now?"""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import Malformed, integer, value
from reconciler.core.health.verdict import progressing
from reconciler.model.health import Health


def observed(document: Any) -> int | None:
    """`status.observedGeneration`, None when the status does not say. Digits in a string count: some kinds write so."""
    found = value(document, "status", "observedGeneration")
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 19:
        return int(found)
    if found is None:
        return None
    if isinstance(found, str):
        raise Malformed(("status", "observedGeneration"), "an integer", found)
    return integer(document, "status", "observedGeneration")


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
