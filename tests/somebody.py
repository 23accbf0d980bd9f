"""Somebody else at the cluster: an administrator who changes live objects under a field manager of their own."""

from __future__ import annotations

import json
from typing import Any

import urllib3

from reconciler.model.change import Resource
from reconciler.sandbox import credentials
from reconciler.sandbox.platform import Sandbox


class Somebody:
    """Speaks to the API server without any of Dispatch's own code for it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._url = sandbox.home.api_url
        self._headers = {"Authorization": f"Bearer {credentials.token(sandbox.home, credentials.ADMINISTRATOR.name)}"}
        self._pool = urllib3.PoolManager(ca_certs=str(sandbox.home.authority), timeout=30, retries=False)

    def edits(self, resource: Resource, namespace: str, name: str, patch: Any, manager: str = "kubectl-edit") -> None:
        """A merge patch of one object, or of a subresource when `name` is `NAME/scale` or `NAME/status`."""
        group = f"/apis/{resource.api_version}" if "/" in resource.api_version else f"/api/{resource.api_version}"
        scope = f"/namespaces/{namespace}" if resource.namespaced else ""
        answer = self._pool.request(
            "PATCH",
            f"{self._url}{group}{scope}/{resource.plural}/{name}?fieldManager={manager}",
            body=json.dumps(patch),
            headers=self._headers | {"Content-Type": "application/merge-patch+json"},
        )
        assert answer.status < 300, answer.data
