"""What of a live object is content, and what is the server's bookkeeping about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

SERVER_METADATA = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds"}
)
"""Fields of `metadata` that only the server writes (apimachinery, meta/v1 ObjectMeta: "Read-only")."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Where client-side `kubectl apply` keeps the whole document that it last sent, Secrets in plain base64 included."""

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


def digest(document: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the canonical JSON (sorted keys, no spaces) of a document as it is.

    It is made from Secret values too, unsalted: keep it inside the process.
    """
    return sha256(_canonical(document).encode()).hexdigest()


def content_digest(document: Mapping[str, Any]) -> str:
    """The digest of a live object without status and the server's metadata: equal as long as nobody changed it.

    A mark of deletion is a change: `deletionTimestamp` counts.
    """
    content = strip(document)
    if "deletionTimestamp" in document.get("metadata", ()):
        content["deleting"] = True
    return digest(content)


def strip(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without status and the server's metadata, as a new dict that shares the rest."""
    content = {field: value for field, value in document.items() if field != "status"}
    metadata = content.get("metadata")
    if isinstance(metadata, dict):
        content["metadata"] = {field: value for field, value in metadata.items() if field not in SERVER_METADATA}
    return content
