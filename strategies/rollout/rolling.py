"""Rolling: Kubernetes replaces the pods of a Deployment itself. Decided is only whether it has come to its end."""

from __future__ import annotations

from reconciler.model.rollout import Decision, DeploymentSeen, Verb


def decide(seen: DeploymentSeen) -> Decision:
    """PROMOTED once every wanted pod is of the newest template and available, WAIT before.

    It is also the way out of a canary or of blue/green: the Rollout goes when the Deployment bears the load.
    """
    name = f"Deployment {seen.id.name}"
    if not seen.observed:
        return Decision(Verb.WAIT, f"{name}: waiting for its controller to see the newest template")
    if seen.updated == seen.available == seen.replicas:
        return Decision(Verb.PROMOTED, f"{name}: {seen.available} of {seen.replicas} pods are new and available")
    return Decision(
        Verb.WAIT,
        f"{name}: {seen.updated} of {seen.replicas} pods are new, {seen.available} are available",
    )
