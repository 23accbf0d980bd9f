"""What may be asked of a Rollout now, and the RolloutAction that asks it. Pure."""

from __future__ import annotations

from typing import Any

from reconciler.cli.actions import named
from reconciler.cli.applications import Document
from reconciler.model.resource import API_VERSION
from reconciler.model.rollout import RolloutSeen, Wish

_MANUAL = frozenset({"CanaryPauseStep", "BlueGreenPause"})


def refusal(wish: Wish, seen: RolloutSeen, gate: Document | None, vetoed: bool) -> str:
    """Why this cannot be asked now, with what can be done instead; empty when it can.

    `gate` is that of the current step, None where it has none. `vetoed`: the Application has versions that may not
    come back. Only what is sure is refused here; Dispatch looks again when it carries the wish out.
    """
    name = f"Rollout {seen.id.namespace}/{seen.id.name}"
    if not seen.pod_hash:
        return f"{name} has no version yet: Argo Rollouts has not looked at it"
    if wish is Wish.RETRY:
        return "" if seen.aborted or vetoed else f"{name} was not aborted: there is nothing to retry"
    if not seen.observed:
        return f"{name} changes just now ({seen.message}): ask again when Argo Rollouts has looked at it"
    if seen.promoted:
        return f"version {seen.pod_hash} of {name} is promoted already{_UNDO if wish is Wish.ABORT else ''}"
    if seen.first:
        return f"version {seen.pod_hash} is the first one of {name}: there are no steps, and nothing to go back to"
    if seen.aborted:
        hint = "" if wish is Wish.ABORT else "; `dispatch rollout retry` starts it again"
        return f"version {seen.pod_hash} of {name} was aborted{hint}"
    return _waits_for_nobody(seen, gate, name) if wish is Wish.PROMOTE else ""


_UNDO = ". To undo it, revert the commit in Git"


def _waits_for_nobody(seen: RolloutSeen, gate: Document | None, name: str) -> str:
    if seen.spec_paused:
        return f"{name} is paused by spec.paused, which Git or somebody wrote: set it to false to go on"
    if gate is not None and not seen.pause:
        if gate.get("approval") or not gate.get("healthy"):
            return ""
        names = ", ".join((gate.get("healthy") or {}).get("applications") or ())
        return f"the gate of step {_step(seen)} waits for {names} to be Ready, not for a person"
    if seen.pause.startswith("Inconclusive"):
        return ""
    if seen.pause in _MANUAL:
        return ""
    place = f" at step {_step(seen)}" if seen.step is not None else ""
    return f"nothing of {name} waits for a person{place}; --full skips all that is left"


def _step(seen: RolloutSeen) -> str:
    """As people count: from 1."""
    return f"{min((seen.step or 0) + 1, seen.steps)} of {seen.steps}"


def action(application: Document, wish: Wish, seen: RolloutSeen, by: str, reason: str | None) -> dict[str, Any]:
    """The RolloutAction, bound to the version and the step that were seen. Its name is new each time."""
    metadata = application["metadata"]
    step = seen.step if wish is Wish.PROMOTE else None
    return {
        "apiVersion": API_VERSION,
        "kind": "RolloutAction",
        "metadata": named(seen.id.name, wish.lower(), metadata.get("namespace", "default")),
        "spec": {
            "application": metadata["name"],
            "action": str(wish),
            "rollout": seen.id.name,
            "uid": seen.uid,
            "podHash": seen.pod_hash,
            **({"step": step} if step is not None else {}),
            "by": by,
            **({"reason": reason} if reason else {}),
        },
    }
