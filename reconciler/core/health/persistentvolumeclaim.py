"""PersistentVolumeClaim of the core group, by its phase, as gitops-engine's health_pvc.go."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.fields import mapping, text
from reconciler.core.health.verdict import degraded, healthy, progressing, quoted, unknown
from reconciler.model.health import Health


def assess(document: dict[str, Any]) -> Health:
    phase = text(document, "status", "phase", default="Pending")
    if phase == "Bound":
        return healthy()
    if phase == "Pending":
        return progressing(_awaited(document))
    volume = quoted(text(document, "spec", "volumeName"))
    if phase == "Lost":
        return degraded(f"its volume {volume} is lost" if volume else "its volume is lost")
    return unknown(f"phase {quoted(phase)} is not one of a PersistentVolumeClaim")


def _awaited(document: dict[str, Any]) -> str:
    """What an unbound claim waits for.

    Its provisioner is noted on it at once for a class that binds immediately, and only after a Pod was placed for
    one that waits for its first consumer (pkg/controller/volume/persistentvolume); the class itself is not at hand.
    """
    if volume := text(document, "spec", "volumeName"):
        return f"waiting to be bound to the volume {quoted(volume)}"
    notes = mapping(document, "metadata", "annotations")
    for key in ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"):
        if provisioner := text(notes, key):
            return f"waiting for {quoted(provisioner)} to make a volume"
    name = text(document, "spec", "storageClassName")
    kind = f"a volume of class {quoted(name)}" if name else "a volume"
    return f"waiting for {kind}, or for the first Pod that uses it where the class is WaitForFirstConsumer"
