"""Whose hand a field manager is: a person's, or a controller's that does its duty."""

from __future__ import annotations

from reconciler.core.managed_fields import Entry
from reconciler.core.pointer import Path

_TOOLS = {
    "kubectl": "its verbs call themselves kubectl-edit, kubectl-patch, kubectl-set ...; `kubectl scale` is kubectl",
    "oc": "OpenShift's kubectl",
    "k9s": "a terminal in which people edit",
    "lens": "a desktop in which people edit",
    "openlens": "Lens without its login",
    "freelens": "Lens without its login",
    "node-fetch": "Lens before 6 goes by the name of its HTTP library",
    "headlamp": "a web page in which people edit",
    "aptakube": "a desktop in which people edit",
    "octant": "a web page in which people edit",
    "seabird": "a desktop in which people edit",
    "kubenav": "a telephone on which people edit",
    "dashboard": "the Kubernetes dashboard",
    "kubernetes-dashboard": "the Kubernetes dashboard",
    "dashboard-api": "the Kubernetes dashboard since 7",
    "argocd-server": "the edit button of Argo CD's page; its controller has another name",
    "mozilla": "a browser through a proxy: without a fieldManager the User-Agent up to its first slash is taken",
    "curl": "a hand, or a script that a hand wrote",
    "httpie": "a hand",
    "postmanruntime": "a hand",
    "insomnia": "a hand",
}
"""Lower-case name -> why it counts as a person's tool. A name with `-` and more behind it counts as well."""

CLIENT_SIDE_APPLY = "kubectl-client-side-apply"
_CREATE_ONLY = frozenset({"kubectl-create", "kubectl-run", "kubectl-expose", "kubectl-autoscale"})
"""Verbs that only make new objects: what they own was there before Dispatch took the object over, defaults included."""

ROLLOUTS = "rollouts-controller"
"""Argo Rollouts: its binary's name, which is its User-Agent."""

_BOOKKEEPING = {
    "kubectl.kubernetes.io/last-applied-configuration": "client-side apply's memory",
    "kubectl.kubernetes.io/restartedAt": "`kubectl rollout restart`: an act, not a wish about the state",
    "kubernetes.io/change-cause": "a note for `kubectl rollout history`",
    "deployment.kubernetes.io/revision": "the Deployment controller's count, which `kubectl rollout undo` copies",
    "kubernetes.io/metadata.name": "the server's own label on Namespaces",
}
_RESTART: Path = ("spec", "restartAt")
"""`kubectl argo rollouts restart`: what restartedAt is to a Deployment."""


def is_person(manager: str) -> bool:
    """True for the tools that people change objects with; False for controllers and for names not known."""
    name = manager.lower()
    return name in _TOOLS or any(name.startswith(f"{tool}-") for tool in _TOOLS)


def only_creates(manager: str) -> bool:
    """True for a tool that cannot have changed an object since it was made."""
    return manager in _CREATE_ONLY


def is_autoscaler(entry: Entry) -> bool:
    """True for the entry of who scales through the `scale` subresource by duty: the HorizontalPodAutoscaler (its loop
    runs in kube-controller-manager), KEDA and their like; not for `kubectl scale`.
    """
    return entry.get("subresource") == "scale" and not is_person(str(entry.get("manager", "")))


def is_bookkeeping(path: Path) -> bool:
    """True for what records an act and is no part of the wanted state."""
    return path == _RESTART or (bool(path) and isinstance(path[-1], str) and path[-1] in _BOOKKEEPING)
