"""What a Secret that a document names holds, read from the API server at this moment. It is kept by nobody here."""

from __future__ import annotations

from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Cluster


def secret_data(cluster: Cluster, namespace: str, name: str) -> dict[str, str] | None:
    """The `data` of a Secret (base64), None where there is no such Secret. Raises Terminal(FORBIDDEN), Transient."""
    resource = cluster.resource("v1", "Secret")
    secret = cluster.read(resource, namespace, name) if resource else None
    return None if secret is None else secret.get("data") or {}


def credentials_data(cluster: Cluster, namespace: str, name: str) -> dict[str, str]:
    """The same of the Secret in `spec.credentialsRef`. Raises Terminal(CREDENTIALS_NOT_FOUND) where there is none."""
    data = secret_data(cluster, namespace, name)
    if data is None:
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            f"there is no Secret {name!r} in namespace {namespace!r}: create it or mend spec.credentialsRef.name",
        )
    return data
