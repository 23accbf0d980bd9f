"""Pod of the core group, as gitops-engine's health_pod.go, with init containers and sidecars seen too."""

from __future__ import annotations

from typing import Any

from reconciler.core.health.conditions import one
from reconciler.core.health.containers import Container, initial, regular
from reconciler.core.health.fields import mapping, text
from reconciler.core.health.verdict import because, degraded, healthy, progressing, quoted, unknown
from reconciler.model.health import Health

IGNORE_RESTART_POLICY = "argocd.argoproj.io/ignore-restart-policy"
HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")


def assess(document: dict[str, Any]) -> Health:
    """A Pod that is restarted for ever is Healthy when ready; one that runs to its end (a hook) when it has ended well.

    A fault of a finite Pod leaves it Progressing: called Degraded, a hook would be given up whose image comes a
    minute later, and would then run after all.
    """
    lasting = _lasting(document)
    inits, own = initial(document), regular(document)
    broken = "; ".join(it.trouble for it in inits + own if it.broken)
    if broken and lasting:
        return degraded(broken)
    phase = text(document, "status", "phase")
    if phase == "Succeeded":
        return healthy()
    if phase == "Failed":
        return degraded(_failure(document, inits + own))
    if phase == "Running":
        if broken or not lasting:
            return progressing(broken or "running to its end")
        return _running(document, own)
    if phase in ("", "Pending"):
        return progressing(broken or _pending(document, inits, own))
    # The node controller's word for a node that no longer answers.
    return unknown(because(f"phase {quoted(phase)}", _said(document)))


def _lasting(document: dict[str, Any]) -> bool:
    if text(document, "spec", "restartPolicy", default="Always") == "Always":
        return True
    notes = mapping(document, "metadata", "annotations")
    return text(notes, IGNORE_RESTART_POLICY) == "true" and not any(key in notes for key in HOOKS)


def _running(document: dict[str, Any], own: list[Container]) -> Health:
    ready = one(document, "Ready")
    if ready and ready.true:
        return healthy()
    fallen = [it.past_failure for it in own if not it.ready and it.ended_before]
    if fallen:
        return degraded("; ".join(fallen))
    if ready and ready.message:
        return progressing(f"not ready: {quoted(ready.message)}")
    return progressing("waiting to be ready")


def _pending(document: dict[str, Any], inits: list[Container], own: list[Container]) -> str:
    placed = one(document, "PodScheduled")
    if placed and placed.false:
        return f"cannot be scheduled: {quoted(placed.message)}" if placed.reason == "Unschedulable" else placed.why
    for done, it in enumerate(inits):
        if it.failed:
            return f"{it.failure}, started again"
        if not it.ended:
            state = because(it.waits, it.waits_message) if it.waits else "running"
            return f"{it.label}: {state} ({done} of {len(inits)} init containers done)"
    waiting = [it.trouble for it in own if it.waits]
    if waiting:
        return "; ".join(waiting)
    return _said(document) or ("waiting for its containers to start" if placed else "waiting to be scheduled")


def _failure(document: dict[str, Any], containers: list[Container]) -> str:
    said = because(text(document, "status", "reason"), text(document, "status", "message"))
    if said:
        return said
    return "; ".join(it.failure for it in containers if it.failed) or "the Pod failed"


def _said(document: dict[str, Any]) -> str:
    return quoted(text(document, "status", "message"))
