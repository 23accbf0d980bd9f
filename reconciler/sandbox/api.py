"""The few calls to the API server that a start needs: reading, and server-side apply."""

from __future__ import annotations

import json
from typing import Any

import urllib3

from reconciler.sandbox import credentials
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.home import Home

FIELD_MANAGER = "dispatch-sandbox"
_PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "CustomResourceDefinition": "customresourcedefinitions",
    "ConfigMap": "configmaps",
    "Namespace": "namespaces",
    "Node": "nodes",
    "ServiceAccount": "serviceaccounts",
}


class Api:
    """The sandbox's API server, as its administrator."""

    def __init__(self, home: Home) -> None:
        self._url = home.api_url
        self._headers = {"Authorization": f"Bearer {credentials.token(home, credentials.ADMINISTRATOR.name)}"}
        self._pool = urllib3.PoolManager(
            ca_certs=str(home.authority), retries=False, timeout=urllib3.Timeout(connect=2, read=30), maxsize=8
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    def ready(self) -> bool:
        try:
            return self._pool.request("GET", f"{self._url}/readyz", headers=self._headers).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at `path`; None when it is not there or the server does not answer just now."""
        try:
            answer = self._pool.request("GET", f"{self._url}{path}", headers=self._headers)
        except urllib3.exceptions.HTTPError:
            return None
        return answer.json() if answer.status == 200 else None

    def apply(self, obj: dict[str, Any]) -> None:
        """Server-side apply of one object; raises SandboxError with the server's own message."""
        self.apply_text(path_of(obj), json.dumps(obj))

    def apply_text(self, path: str, document: str | bytes) -> None:
        """Server-side apply of a document as it is: the server reads YAML, so a big one is not parsed here."""
        self._patch(f"{path}?fieldManager={FIELD_MANAGER}&force=true", document, "application/apply-patch+yaml")

    def merge_status(self, obj: dict[str, Any]) -> None:
        """Merge `obj` into its own status subresource."""
        self._patch(f"{path_of(obj)}/status", json.dumps(obj), "application/merge-patch+json")

    def _patch(self, where: str, body: str | bytes, media_type: str) -> None:
        headers = self._headers | {"Content-Type": media_type}
        try:
            answer = self._pool.request("PATCH", f"{self._url}{where}", body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise SandboxError(f"the API server did not answer for {where}: {error}") from error
        if answer.status >= 300:
            raise SandboxError(f"the API server refused {where}: {answer.data.decode('utf-8', 'replace')[:2000]}")


def path_of(obj: dict[str, Any]) -> str:
    """The URL path of an object of one of the kinds that a start applies."""
    group_version, metadata = obj["apiVersion"], obj["metadata"]
    root = f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"
    namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{root}{namespace}/{_PLURALS[obj['kind']]}/{metadata['name']}"
